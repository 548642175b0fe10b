"""Archives: what went in comes out, and the same files make the same bytes."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from vlseg_cli.evaluation.submissions.archive import write_archive, write_xlsx
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


MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def test_cells_hold_what_was_written(tmp_path: Path) -> None:
    texts = ["plain", "<a> & 'b'", "two\nlines", "\x00bell\x07", "请"]
    write_xlsx(OutputFolder(tmp_path), [["name", "n"], *([text, 7] for text in texts)], "t.xlsx")
    with zipfile.ZipFile(tmp_path / "t.xlsx") as archive:
        parts = {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()}
    assert {"[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"} < set(parts)
    rows = list(parts["xl/worksheets/sheet1.xml"].iter(f"{MAIN}row"))
    found = [["".join(cell.itertext()) for cell in row] for row in rows]
    assert found == [
        ["name", "n"],
        *([text.strip("\x00\x07"), "7"] for text in texts[:3]),
        ["bell", "7"],
        ["请", "7"],
    ]
    assert [cell.get("t") for cell in rows[1]] == ["inlineStr", None]
