"""The rows of a CSV or JSON lines file, with the offset in bytes where each begins.

Python's own text files cannot tell their offset while they are iterated over, and a row that is
read again later has to be found again.
"""

import csv
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from vlseg_cli.cli.values import shown
from vlseg_cli.schema import UsageError
from vlseg_cli.schema.errors import nearest

LONGEST = 1 << 20  # bytes of a line
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class OffsetLines(Iterator[str]):
    """Decoded lines from the present offset of ``file``.

    offset: bytes before the next line. number: of the last line, from 1. row: number of the line
    with which the current row begins, set by the readers of rows below.
    """

    def __init__(self, file: BinaryIO, number: int = 0) -> None:
        """Begin after line ``number``; a byte order mark is skipped."""
        self.file, self.number, self.row = file, number, number + 1
        if file.tell() == 0 and file.read(len(_BOM)) != _BOM:
            file.seek(0)
        self.offset = file.tell()

    def __next__(self) -> str:
        """The next line with its end. Raises UsageError if it is too long or not in UTF-8."""
        line = self.file.readline(LONGEST + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > LONGEST:
            raise UsageError(f"this has over {LONGEST:,} bytes: give each row a line of its own.")
        self.offset += len(line)
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            kind = "is UTF-16" if line.startswith(_UTF_16) else "is not UTF-8"
            raise UsageError(f"this {kind}: save the file as UTF-8 (Excel: CSV UTF-8).") from error


PROMPT_COLUMNS = ("text", "categories", "regions")
COLUMNS = ("input", "task", *PROMPT_COLUMNS, "at")
_SEPARATORS = ",;\t"


class TableRow(NamedTuple):
    """One row. cells: by column, the empty ones left out. offset: in bytes."""

    offset: int
    cells: dict[str, Any]


Table = Callable[[OffsetLines], Iterator[TableRow]]


def table_in(lines: OffsetLines) -> Table:
    """Tell CSV from JSON lines, and read the header of CSV.

    Returns a function that reads rows from any offset. Raises UsageError for a wrong header.
    """
    beginning = lines.file.read(4096).lstrip()[:1]
    lines.file.seek(lines.offset)
    if beginning == b"{":
        return _json_rows
    if beginning == b"[":
        raise UsageError("this is one JSON list: write one object a line (JSON lines), or CSV.")
    header = next((line for line in lines if line.strip()), None)
    if header is None:
        raise UsageError(f"the file is empty: begin with a line '{','.join(COLUMNS)}'.")
    lines.row = lines.number
    separator, columns = _header(header)
    return lambda lines: _csv_rows(lines, separator, columns)


def _header(line: str) -> tuple[str, list[str]]:
    """The separator and the columns: the separator under which most names are known."""
    readings = [(separator, _names(line, separator)) for separator in _SEPARATORS]
    separator, columns = max(readings, key=lambda one: len(set(one[1]) & set(COLUMNS)))
    for name in columns:
        _check_column(name)
    if len(set(columns)) < len(columns):
        raise UsageError("the header names a column twice: name each once.")
    if "input" not in columns or not set(columns) & set(PROMPT_COLUMNS):
        raise UsageError(
            "the header needs the column input and one of text, categories and regions: begin"
            " with a line such as 'input,text'."
        )
    return separator, columns


def _names(line: str, separator: str) -> list[str]:
    return [name.casefold() for name in _cells(csv.reader([line], delimiter=separator))]


def _check_column(name: str) -> None:
    if name not in COLUMNS:
        raise UsageError(
            f"there is no column {shown(name)}{nearest(name, COLUMNS)}"
            f" (the columns are {', '.join(COLUMNS)})."
        )


def _csv_rows(lines: OffsetLines, separator: str, columns: list[str]) -> Iterator[TableRow]:
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    while True:
        offset, lines.row = lines.offset, lines.number + 1
        try:
            cells = _cells(reader)
        except StopIteration:
            return
        if len(cells) > len(columns):
            raise UsageError(
                f"this row has {len(cells)} cells but the header has {len(columns)}: put what"
                f" holds {separator!r} in quotation marks."
            )
        if any(cells):
            named = zip(columns, cells, strict=False)  # a row may leave out its last cells
            yield TableRow(offset, {name: cell for name, cell in named if cell})


def _cells(reader: Iterator[list[str]]) -> list[str]:
    try:
        return [cell.strip() for cell in next(reader)]
    except csv.Error as error:
        raise UsageError(f"this is not CSV ({error}): is a quotation mark missing?") from error


def _json_rows(lines: OffsetLines) -> Iterator[TableRow]:
    while True:
        offset, lines.row = lines.offset, lines.number + 1
        line = next(lines, None)
        if line is None:
            return
        if line.strip():
            yield TableRow(offset, _json_cells(line))


def _json_cells(line: str) -> dict[str, Any]:
    row = parse_json(line)
    if not isinstance(row, dict):
        raise UsageError('this is no JSON object: write {"input": …, "text": …} on one line.')
    for name in row:
        _check_column(name)
    cells = {
        name: value.strip() if isinstance(value, str) else value for name, value in row.items()
    }
    return {name: value for name, value in cells.items() if value not in (None, "", [])}


def parse_json(text: str) -> Any:
    """Read one JSON value. Raises UsageError if it is none, or names a key twice."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UsageError(f"this is not JSON ({reason}).") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UsageError("a key is named twice in one JSON object: name each once.")
    return found
