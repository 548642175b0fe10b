"""A file of records, one line each, read line by line as often as a format needs."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from vlseg_cli.outputs.records import read_record
from vlseg_cli.schema import OutputError, Record


class RecordFile:
    """The records of a JSONL file; each walk opens it anew, and memory stays constant."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[Record]:
        """Raises OutputError if the file is gone, and with a line's number if that is damaged."""
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise OutputError(f"{self.path} cannot be read: is it still there?") from error
        with file:
            for number, line in enumerate(file, start=1):
                try:
                    yield read_record(line)
                except OutputError as error:
                    raise OutputError(f"{self.path}, line {number}: {error}") from error


def by_frame(records: Iterable[Record]) -> Iterator[list[Record]]:
    """The records of each frame together; they follow each other in every store."""
    for _, group in groupby(records, key=lambda record: (record.name, record.frame)):
        yield list(group)
