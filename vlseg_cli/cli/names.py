"""``--categories``: from what was typed, and what the model was trained with, to a prompt."""

from typing import Annotated

import typer

from vlseg_cli.cli.wording import each_once, shown
from vlseg_cli.models.base import Segmenter
from vlseg_cli.schema import Categories, Task, UsageError

COUNTABLE = (Task.INSTANCE, Task.DETECT, Task.VIS)

Names = Annotated[
    str | None,
    typer.Option(
        metavar='"cup, table"',
        help="Names to look for, with commas between them; any words.",
        show_default="all that the model was trained with",
        rich_help_panel="Prompt",
    ),
]


def parse_names(text: str | None, written: str = "--categories") -> tuple[str, ...]:
    """'cup, table' to names, each once; None to no names.

    written: where the text stands. Raises UsageError if nothing is named or another separator was
    meant.
    """
    if text is None:
        return ()
    for separator in ";|\n":
        if separator in text and "," not in text:
            raise UsageError(
                f"{written} {shown(text)} is split by {separator!r}: separate the names with"
                ' commas, as in "cup, table".'
            )
    names = each_once(text.split(","))
    if not names:
        raise UsageError(f'{written} names nothing: give names, as in "cup, table".')
    return names


def prompt_for(names: tuple[str, ...], model: Segmenter, task: Task) -> Categories:
    """The named categories, or all of the model's; what it knows as stuff is marked as such.

    Where the task finds single objects, whatever a user names is taken as countable.
    """
    if not names:
        return Categories(model.categories, model.stuff)
    if task in COUNTABLE:
        return Categories(names)
    stuff = dict(zip(model.categories, model.stuff, strict=True))
    return Categories(names, tuple(stuff.get(name, False) for name in names))
