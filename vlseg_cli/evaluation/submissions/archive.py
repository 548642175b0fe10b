"""Zip archives and XLSX tables as servers take them: the same content makes the same bytes."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.util import find_spec

from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import UsageError

_TIME = (1980, 1, 1, 0, 0, 0)  # of every entry
_READABLE = 0o644 << 16  # as Unix keeps the rights of a file in an archive


def write_archive(folder: OutputFolder, files: Iterable[tuple[str, bytes]], *parts: str) -> None:
    """Write files by name, in their order, one in memory at a time. Raises OutputError."""
    file = folder.begin(*parts)
    with file.open_file() as opened, zipfile.ZipFile(opened, "w") as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = _READABLE
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    file.commit()


def check_xlsx() -> None:
    """Raise UsageError unless XlsxWriter, an extra of vlseg, is installed."""
    if find_spec("xlsxwriter") is None:
        raise UsageError('A table for MMBench needs XlsxWriter: pip install "vlseg[xlsx]".')


def write_xlsx(folder: OutputFolder, rows: Iterable[Sequence[str | int]], *parts: str) -> None:
    """Write rows, the first one the names of the columns. Raises OutputError."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(*_TIME)})
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, int):
                    sheet.write_number(number, column, value)
                else:
                    sheet.write_string(number, column, _without_control_characters(value))
    folder.write(buffer.getvalue(), *parts)


def _without_control_characters(text: str) -> str:
    return "".join(one for one in text if one >= " " or one in "\t\n")
