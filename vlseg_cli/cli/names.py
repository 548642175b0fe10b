"""``--categories``: from what was typed, and what the model was trained with, to a prompt."""

from typing import Annotated

import typer

from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.schema import Categories, UsageError

Names = Annotated[
    str | None,
    typer.Option(
        metavar='"cup, table"',
        help="Names to look for, with commas between them; any words.",
        show_default="all that the model was trained with",
        rich_help_panel="Prompt",
    ),
]


def parse_names(text: str | None) -> tuple[str, ...]:
    """'cup, table' to names, each once; None to no names.

    Raises UsageError if nothing is named or another separator was meant.
    """
    if text is None:
        return ()
    for separator in ";|\n":
        if separator in text and "," not in text:
            raise UsageError(
                f"--categories {text!r} is split by {separator!r}: separate the names with commas,"
                ' as in "cup, table".'
            )
    names = tuple(dict.fromkeys(filter(None, (name.strip() for name in text.split(",")))))
    if not names:
        raise UsageError('--categories names nothing: give names, as in "cup, table".')
    return names


def prompt_for(names: tuple[str, ...], model: Segmenter, countable: bool) -> Categories:
    """The named categories, or all of the model's; what it knows as stuff is marked as such.

    countable: the task finds single objects, so whatever a user names is taken as countable.
    """
    if not names:
        return Categories(model.categories, model.stuff)
    if countable:
        return Categories(names)
    stuff = dict(zip(model.categories, model.stuff, strict=True))
    return Categories(names, tuple(stuff.get(name, False) for name in names))
