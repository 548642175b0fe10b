"""The lines of a text file one by one, with the place in bytes where each begins.

Python's own text files cannot say where they stand while they are walked through, and a row that
is read again later has to be found again.
"""

from collections.abc import Iterator
from typing import BinaryIO

from vlseg_cli.schema import UsageError

LONGEST = 1 << 20  # bytes of a line
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Lines(Iterator[str]):
    """Decoded lines from where ``file`` stands.

    offset: bytes before the next line. number: of the last line, from 1. row: number of the line
    with which the current row begins, set by who reads rows.
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
