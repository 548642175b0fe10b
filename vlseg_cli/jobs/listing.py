"""Which inputs of a run are work to do: those new to the job, changed, or to be retried."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from vlseg_cli.jobs.journal import Journal
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import Input, Item


def items_to_list(
    journal: Journal, found: Iterable[Input], root: Path, again: bool
) -> list[tuple[Item, int]]:
    """Items with their attempt, for ``Journal.list``.

    found: the inputs of this run as they are on disk now; a new one gets its number and name here.
    again: failed ones are work to do, too.
    """
    folder = OutputFolder(root)  # to give names
    known = {item.source: item.number for item in journal.items}
    for item in journal.items:
        folder.take(item.name)
    listed: list[tuple[Item, int]] = []
    for one in found:
        number = known.get(one.source)
        if number is None:
            number = known[one.source] = len(known)
            listed.append((_item(one, number, folder.name_for(one.source)), 1))
        elif number < len(journal.items):  # else it is named twice
            old = journal.items[number]
            changed = (one.bytes, one.modified) != (old.bytes, old.modified)
            if changed or (again and number in journal.errors):
                listed.append((_item(one, number, old.name), journal.attempt(number) + 1))
    return listed


def name_items(found: Iterable[Input], root: Path) -> Iterator[Item]:
    """Items of inputs that no journal keeps, one at a time."""
    folder = OutputFolder(root)
    for number, one in enumerate(found):
        yield _item(one, number, folder.name_for(one.source))


def _item(found: Input, number: int, name: str) -> Item:
    return Item(number, found.source, name, found.is_video, found.bytes, found.modified)
