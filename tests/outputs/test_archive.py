"""Archives: what went in comes out, and the same files make the same bytes."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from vlseg_cli.outputs.archive import write_archive
from vlseg_cli.outputs.folder import OutputFolder

FILES = [("a/b.txt", b"one"), ("ü.bin", bytes(1000))]


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first.zip", "second.zip"):
        write_archive(OutputFolder(tmp_path), iter(FILES), "x", name)
    first, second = (tmp_path / "x" / name for name in ("first.zip", "second.zip"))
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert [(name, archive.read(name)) for name in archive.namelist()] == FILES


def test_what_fails_underway_leaves_nothing(tmp_path: Path) -> None:
    def files() -> Iterator[tuple[str, bytes]]:
        yield FILES[0]
        raise KeyError

    with pytest.raises(KeyError):
        write_archive(OutputFolder(tmp_path), files(), "x.zip")
    assert list(tmp_path.iterdir()) == []
