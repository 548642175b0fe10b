"""The cells of an XLSX file as text, row by row."""

import zipfile
from pathlib import Path
from xml.etree import ElementTree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_rows(path: Path) -> list[list[str]]:
    with zipfile.ZipFile(path) as archive:
        parts = {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()}
    strings = ["".join(one.itertext()) for one in parts["xl/sharedStrings.xml"]]
    return [
        [
            strings[int("".join(cell.itertext()))]
            if cell.get("t") == "s"
            else "".join(cell.itertext())
            for cell in row
        ]
        for row in parts["xl/worksheets/sheet1.xml"].iter(f"{_MAIN}row")
    ]
