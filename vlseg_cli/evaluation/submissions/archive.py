"""Zip archives as servers take them: the same files make the same bytes, whenever they are made."""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape

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


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>"
    ),
}


def write_xlsx(folder: OutputFolder, rows: Iterable[Sequence[str | int]], *parts: str) -> None:
    """Write rows, the first one the names of the columns. Raises OutputError."""
    sheet = "".join(["<sheetData>", *(_row(row) for row in rows), "</sheetData>"])
    whole = {
        **_PARTS,
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}">{sheet}</worksheet>',
    }
    write_archive(folder, ((name, (_XML + xml).encode()) for name, xml in whole.items()), *parts)


def _row(row: Sequence[str | int]) -> str:
    return f"<row>{''.join(_cells(row))}</row>"


def _cells(row: Sequence[str | int]) -> Iterator[str]:
    for value in row:
        if isinstance(value, int):
            yield f"<c><v>{value}</v></c>"
        else:
            text = escape("".join(one for one in value if one >= " " or one in "\t\n"))
            yield f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
