"""Category ids of a COCO file: a name has one id in all images and prompts of a run, from 1 on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

from vlseg_cli.schema import Record, Segment, Task

_POINTED = (Task.INTERACTIVE, Task.VOS)


class CategoryRecord(TypedDict):
    """A category as COCO writes it; ``isthing`` is 1 for countable ones."""

    id: int
    name: str
    isthing: int


@dataclass(frozen=True, slots=True)
class _Entry:
    id: int
    is_thing: bool


class CategoryTable:
    """Names met so far and their ids. A sentence is a category of its own words."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def add(self, record: Record) -> None:
        """Take up what was asked, in its order, so that ids hardly depend on the answers."""
        if isinstance(record.prompt, str):
            self._id(record.prompt)
        elif record.task in _POINTED:  # named by the answers: 'point 1', 'box 2'
            for segment in record.segments:
                self._id(segment.label)
        else:
            for index, name in enumerate(record.prompt):
                self._id(name, index not in record.stuff)

    def id_of(self, record: Record, segment: Segment) -> int:
        """The id of the category that a segment of a record belongs to."""
        return self._id(category_name(record, segment))

    def records(self) -> Iterator[CategoryRecord]:
        """The ``categories`` list of a COCO file."""
        for name, entry in self._entries.items():
            yield CategoryRecord(id=entry.id, name=name, isthing=int(entry.is_thing))

    def _id(self, name: str, is_thing: bool = True) -> int:
        entry = _Entry(len(self._entries) + 1, is_thing)
        return self._entries.setdefault(name, entry).id


def category_name(record: Record, segment: Segment) -> str:
    """The sentence, the name among those asked for, or else the label."""
    if isinstance(record.prompt, str):
        return record.prompt
    if segment.category_id is not None and segment.category_id < len(record.prompt):
        return record.prompt[segment.category_id]
    return segment.label
