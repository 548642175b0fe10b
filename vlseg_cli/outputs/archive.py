"""Zip archives as servers take them: the same files make the same bytes, whenever they are made."""

import zipfile
from collections.abc import Iterable

from vlseg_cli.outputs.folder import OutputFolder

_ALWAYS = (1980, 1, 1, 0, 0, 0)  # the time of every entry
_READABLE = 0o644 << 16  # as Unix keeps the rights of a file in an archive


def write_archive(folder: OutputFolder, files: Iterable[tuple[str, bytes]], *parts: str) -> None:
    """Write files by name, in their order, one in memory at a time. Raises OutputError."""
    file = folder.begin(*parts)
    with file.open_file() as opened, zipfile.ZipFile(opened, "w") as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, _ALWAYS)
            entry.external_attr = _READABLE
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    file.commit()
