"""Workbooks: numbers stay numbers, and no text breaks the file."""

import zipfile
from pathlib import Path
from xml.etree import ElementTree

from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.sheet import write_sheet

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def test_cells_hold_what_was_written(tmp_path: Path) -> None:
    texts = ["plain", "<a> & 'b'", "two\nlines", "\x00bell\x07", "请"]
    write_sheet(OutputFolder(tmp_path), [["name", "n"], *([text, 7] for text in texts)], "t.xlsx")
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
