"""The records of a job's items, wherever they lie: in the workshop, or in the finished store.

Only the item at hand is in memory, and where the others begin.
"""

import json
from collections.abc import Iterator
from itertools import groupby

from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.layout import RECORDS, part_path
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.records import read_record
from vlseg_cli.schema import Item, Record


class ItemRecords:
    """Lines of records, item by item."""

    def __init__(self, folder: OutputFolder, journal: Journal) -> None:
        self._folder, self._journal = folder, journal
        self._places = _places(folder)

    def of(self, item: Item) -> Iterator[bytes]:
        """Blocks of whole lines; none for an item that is not done."""
        if self._journal.attempt(item.number):
            for part in range(self._journal.parts(item.number)):
                yield self._folder.root.joinpath(*part_path(item.number, part)).read_bytes()
        elif item.name in self._places:
            start, end = self._places[item.name]
            with (self._folder.root / RECORDS).open("rb") as file:
                file.seek(start)
                while file.tell() < end:
                    yield file.readline()


class JobRecords:
    """The records of all items that are done; can be walked through several times."""

    def __init__(self, folder: OutputFolder, journal: Journal) -> None:
        self._folder, self._journal = folder, journal

    def __iter__(self) -> Iterator[Record]:
        for _, records in self.by_item():
            yield from records

    def by_item(self) -> Iterator[tuple[Item, Iterator[Record]]]:
        """Every item that is done, with its records."""
        records = ItemRecords(self._folder, self._journal)
        for item in self._journal.items:
            if self._journal.is_done(item.number):
                lines = (line for block in records.of(item) for line in block.splitlines())
                yield item, map(read_record, lines)


def _places(folder: OutputFolder) -> dict[str, tuple[int, int]]:
    """Where the lines of each item begin and end in the record store, in bytes."""
    path = folder.root / RECORDS
    places: dict[str, tuple[int, int]] = {}
    if path.exists():
        end = 0
        with path.open("rb") as file:
            for name, lines in groupby(file, key=lambda line: str(json.loads(line)["name"])):
                start, end = end, end + sum(map(len, lines))
                places[name] = start, end
    return places
