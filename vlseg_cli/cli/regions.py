"""``--point --box --scribble --mask``: from what was typed to regions of one picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from vlseg_cli.media import read_mask
from vlseg_cli.schema import Frame, Region, Regions, UsageError
from vlseg_cli.schema.region import (
    Point,
    box_region,
    mask_region,
    point_region,
    scribble_region,
)

_PANEL = "Prompt"
Box = tuple[float, float, float, float]

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


@dataclass(frozen=True, slots=True)
class RegionPrompts:
    """Everything pointed at, not yet tied to a picture; each entry is one region."""

    points: tuple[tuple[Point, ...], ...]
    boxes: tuple[Box, ...]
    scribbles: tuple[tuple[Point, ...], ...]
    masks: tuple[Path, ...]

    def __bool__(self) -> bool:
        """Whether anything was pointed at."""
        return bool(self.points or self.boxes or self.scribbles or self.masks)

    def on(self, frame: Frame) -> Regions:
        """Draw all of it on the grid of a frame: points first, then boxes, scribbles, masks.

        Raises UsageError for what lies outside, InputError for a mask that cannot be read.
        """
        size = (frame.height, frame.width)
        regions: list[Region] = [point_region(points, *size) for points in self.points]
        regions += [box_region(box, *size) for box in self.boxes]
        regions += [scribble_region(points, *size) for points in self.scribbles]
        regions += [mask_region(read_mask(path, *size)) for path in self.masks]
        return Regions(tuple(regions))


def parse_regions(
    points: Sequence[str] | None,
    boxes: Sequence[str] | None,
    scribbles: Sequence[str] | None,
    masks: Sequence[Path] | None,
) -> RegionPrompts:
    """Read the four options. Raises UsageError showing how each is written."""
    return RegionPrompts(
        tuple(_parse_points(text) for text in points or ()),
        tuple(_parse_box(text) for text in boxes or ()),
        tuple(_parse_scribble(text) for text in scribbles or ()),
        tuple(masks or ()),
    )


def _parse_points(text: str) -> tuple[Point, ...]:
    numbers = _numbers(text)
    if not numbers or len(numbers) % 2:
        raise UsageError(f"--point {text!r} is no point: write x,y in pixels, as in 120,80.")
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _parse_box(text: str) -> Box:
    numbers = _numbers(text)
    if len(numbers) != 4:
        raise UsageError(
            f"--box {text!r} is no box: write x0,y0,x1,y1 in pixels, as in 40,30,200,150."
        )
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _parse_scribble(text: str) -> tuple[Point, ...]:
    points = [_numbers(part) for part in text.strip("; ").split(";")]
    if any(len(point) != 2 for point in points):
        raise UsageError(
            f"--scribble {text!r} is no line: write x,y;x,y;… in pixels, in quotes,"
            ' as in "10,20;60,40;90,80".'
        )
    return tuple((x, y) for x, y in points)


def _numbers(text: str) -> list[float]:
    """The finite numbers between the commas; none at all if any of them is something else."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) else []
