"""``--point --box --scribble --mask``: the options, and what was typed as places."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from vlseg_cli.cli.places import Place, Places, numbers_in, points_of
from vlseg_cli.schema import UsageError

_PANEL = "Prompt"

Points = Annotated[
    list[str] | None,
    typer.Option(
        "--point",
        metavar="x,y",
        help="A point in px; x,y,x,y for several on one object. Repeatable.",
        rich_help_panel=_PANEL,
    ),
]
Boxes = Annotated[
    list[str] | None,
    typer.Option(
        "--box", metavar="x0,y0,x1,y1", help="A box in px. Repeatable.", rich_help_panel=_PANEL
    ),
]
Scribbles = Annotated[
    list[str] | None,
    typer.Option(
        "--scribble",
        metavar="x,y;x,y;...",
        help="A line in px. Repeatable.",
        rich_help_panel=_PANEL,
    ),
]
Masks = Annotated[
    list[Path] | None,
    typer.Option(
        "--mask",
        metavar="FILE",
        help="A mask file of the image's size, marked pixels not 0. Repeatable.",
        rich_help_panel=_PANEL,
    ),
]


def parse_regions(
    points: Sequence[str] | None,
    boxes: Sequence[str] | None,
    scribbles: Sequence[str] | None,
    masks: Sequence[Path] | None,
) -> Places:
    """Read the four options: points first, then boxes, scribbles, masks; each one is a place.

    Raises UsageError showing how each is written.
    """
    return (
        *(_point(text) for text in points or ()),
        *(_box(text) for text in boxes or ()),
        *(_scribble(text) for text in scribbles or ()),
        *(Place("mask", path) for path in masks or ()),
    )


def _point(text: str) -> Place:
    points = points_of(numbers_in(text))
    if not points:
        raise UsageError(f"--point {text!r} is no point: write x,y in pixels, as in 120,80.")
    return Place("point", points)


def _box(text: str) -> Place:
    corners = points_of(numbers_in(text))
    if len(corners) != 2:
        raise UsageError(
            f"--box {text!r} is no box: write x0,y0,x1,y1 in pixels, as in 40,30,200,150."
        )
    return Place("box", corners)


def _scribble(text: str) -> Place:
    points = [numbers_in(part) for part in text.strip("; ").split(";")]
    if any(len(point) != 2 for point in points):
        raise UsageError(
            f"--scribble {text!r} is no line: write x,y;x,y;… in pixels, in quotes,"
            ' as in "10,20;60,40;90,80".'
        )
    return Place("scribble", tuple((x, y) for x, y in points))
