"""What a user points at, not yet tied to a picture: points, boxes, scribbles and mask files.

The options of the command line and the rows of a prompts file both end here.
"""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from vlseg_cli.media import read_mask
from vlseg_cli.schema import Frame, InputError, Region, Regions, UsageError
from vlseg_cli.schema.prompt import RegionKind
from vlseg_cli.schema.region import Point, box_region, mask_region, point_region, scribble_region


@dataclass(frozen=True, slots=True)
class RegionPrompt:
    """One region as it was written. where: points in px (of a box two corners), or a mask file."""

    kind: RegionKind
    where: tuple[Point, ...] | Path

    def on(self, frame: Frame) -> Region:
        """Draw it on the grid of a frame.

        Raises UsageError for what lies outside, InputError for a mask that cannot be read.
        """
        size = (frame.height, frame.width)
        if isinstance(self.where, Path):
            return mask_region(read_mask(self.where, *size))
        if self.kind == "box":
            (x0, y0), (x1, y1) = self.where
            return box_region((x0, y0, x1, y1), *size)
        draw = point_region if self.kind == "point" else scribble_region
        return draw(self.where, *size)

    def plain(self) -> dict[str, Any]:
        """Itself in JSON values, a mask file by the SHA-256 of its bytes.

        Raises InputError for a mask file that cannot be read.
        """
        if not isinstance(self.where, Path):
            return {self.kind: self.where}
        try:
            with self.where.open("rb") as file:
                return {self.kind: hashlib.file_digest(file, "sha256").hexdigest()}
        except (OSError, ValueError) as error:
            raise InputError(f"{self.where} cannot be opened: is the path right?") from error


RegionPrompts = tuple[RegionPrompt, ...]


def regions_on(places: RegionPrompts, frame: Frame) -> Regions:
    """Draw several places, in their order; raises as ``RegionPrompt.on``."""
    return Regions(tuple(place.on(frame) for place in places))


def points_of(numbers: Sequence[float]) -> tuple[Point, ...]:
    """Pair x, y, x, y, …; no points at all if one of them lacks its y."""
    if len(numbers) % 2:
        return ()
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def numbers_in(text: str, between: str = ",") -> list[float]:
    """The numbers of 'x,y,…'; no numbers at all if any of them is something else or not finite.

    between: a regular expression for what separates them.
    """
    try:
        numbers = [float(part) for part in re.split(between, text)]
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) else []


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
) -> RegionPrompts:
    """Read the four options: points first, then boxes, scribbles, masks; each one is a place.

    Raises UsageError showing how each is written.
    """
    return (
        *(_point(text) for text in points or ()),
        *(_box(text) for text in boxes or ()),
        *(_scribble(text) for text in scribbles or ()),
        *(RegionPrompt("mask", path) for path in masks or ()),
    )


def _point(text: str) -> RegionPrompt:
    points = points_of(numbers_in(text))
    if not points:
        raise UsageError(f"--point {text!r} is no point: write x,y in pixels, as in 120,80.")
    return RegionPrompt("point", points)


def _box(text: str) -> RegionPrompt:
    corners = points_of(numbers_in(text))
    if len(corners) != 2:
        raise UsageError(
            f"--box {text!r} is no box: write x0,y0,x1,y1 in pixels, as in 40,30,200,150."
        )
    return RegionPrompt("box", corners)


def _scribble(text: str) -> RegionPrompt:
    points = [numbers_in(part) for part in text.strip("; ").split(";")]
    if any(len(point) != 2 for point in points):
        raise UsageError(
            f"--scribble {text!r} is no line: write x,y;x,y;… in pixels, in quotes,"
            ' as in "10,20;60,40;90,80".'
        )
    return RegionPrompt("scribble", tuple((x, y) for x, y in points))
