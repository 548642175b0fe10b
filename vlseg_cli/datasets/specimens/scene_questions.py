"""Questions about a drawn scene with known answers: what is there, how many, of what colour."""

from collections.abc import Iterator
from typing import NamedTuple

from vlseg_cli.worlds.categories import CATEGORIES, COLOURS
from vlseg_cli.worlds.language.groups import by_category
from vlseg_cli.worlds.scene import Scene

_MOST_CHOICES = 4


class Told(NamedTuple):
    """A question and its one true answer, in lower case; kind: 'yes/no', 'number' or 'other'."""

    question: str
    answer: str
    kind: str


def yes_or_no(scene: Scene) -> list[Told]:
    """One thing that is there and one that is not."""
    present = {item.category for item in scene.items if item.is_thing}
    things = [category.name for category in CATEGORIES if category.is_thing]
    turned = [*things[scene.seed % len(things) :], *things[: scene.seed % len(things)]]
    there = next((name for name in turned if name in present), None)
    absent = next(name for name in turned if name not in present)
    asked = [(there, "yes")] if there else []
    return [
        Told(f"Is there a {name} in the image?", answer, "yes/no")
        for name, answer in [*asked, (absent, "no")]
    ]


def open_questions(scene: Scene) -> Iterator[Told]:
    """How many things of each category there are, and the colour of what is there once."""
    for category, items in by_category(scene).items():
        if not items[0].is_thing:
            continue
        yield Told(
            f"How many things of the kind '{category}' are there?", f"{len(items)}", "number"
        )
        if len(items) == 1 and items[0].colour:
            yield Told(f"What is the colour of the {category}?", items[0].colour, "other")


def choices_with(told: Told) -> list[str]:
    """Up to four different choices, the right one among them, in an order that tells nothing."""
    if told.kind == "number":
        number = int(told.answer)
        return sorted({told.answer, *(str(number + step) for step in (1, 2, 3))})
    others = [colour for colour in COLOURS if colour != told.answer]
    return sorted([told.answer, *others[: _MOST_CHOICES - 1]])
