"""Category ids of a COCO file: a name has one id in all images and prompts of a run, from 1 on."""

from dataclasses import dataclass
from typing import TypedDict

from vlseg_cli.schema import Categories, Expression, Prompt, Question, Regions, Segment


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

    def add(self, prompt: Prompt) -> None:
        """Take up what a prompt names, in its order, so that ids do not depend on the answers."""
        match prompt:
            case Categories(names=names):
                for index, name in enumerate(names):
                    self._id(name, prompt.is_thing(index))
            case Expression(text=text) | Question(text=text):
                self._id(text)
            case Regions():
                pass  # named by the answers: 'point 1', 'box 2'

    def id_of(self, prompt: Prompt, segment: Segment) -> int:
        """The id of the category that a segment of this prompt belongs to."""
        match prompt:
            case Categories(names=names) if segment.category_id is not None:
                return self._id(names[segment.category_id])
            case Expression(text=text) | Question(text=text):
                return self._id(text)
            case _:
                return self._id(segment.label)

    def records(self) -> list[CategoryRecord]:
        """The ``categories`` list of a COCO file."""
        return [
            CategoryRecord(id=entry.id, name=name, isthing=int(entry.is_thing))
            for name, entry in self._entries.items()
        ]

    def _id(self, name: str, is_thing: bool = True) -> int:
        entry = _Entry(len(self._entries) + 1, is_thing)
        return self._entries.setdefault(name, entry).id
