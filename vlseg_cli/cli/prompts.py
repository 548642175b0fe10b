"""Prompts of the command line: texts (--text), categories (--categories) and regions (--point, …).

Regions are not yet bound to an image; the rows of a prompts file use the same types.
"""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from vlseg_cli.cli.options import INPUTS, prompt_option
from vlseg_cli.cli.values import each_once, is_unicode, shown
from vlseg_cli.media import read_mask
from vlseg_cli.media.limits import DEFAULT_LIMITS
from vlseg_cli.models.base import Segmenter
from vlseg_cli.schema import Categories, Frame, InputError, Region, Regions, Task, UsageError
from vlseg_cli.schema.files import open_regular, reason_of
from vlseg_cli.schema.prompt import RegionKind
from vlseg_cli.schema.region import Point, box_region, mask_region, point_region, scribble_region

COUNTABLE = (Task.INSTANCE, Task.DETECT, Task.VIS)

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar='INPUT... "TEXT"',
        help=f"{INPUTS}; last the text.",
        show_default=False,
    ),
]
Texts = Annotated[
    list[str] | None,
    prompt_option(
        "--text",
        "-t",
        help="A text prompt; repeat it for several: each image is encoded once for all.",
    ),
]
CategoryNames = Annotated[
    str | None,
    prompt_option(
        metavar='"cup, table"',
        help="Category names, separated by commas; open vocabulary.",
        show_default="all that the model was trained with",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionOptions:
    """The options for regions, as given."""

    point: Annotated[
        list[str] | None,
        prompt_option(
            metavar="x,y", help="A point in px; x,y,x,y for several on one object. Repeatable."
        ),
    ] = None
    box: Annotated[
        list[str] | None, prompt_option(metavar="x0,y0,x1,y1", help="A box in px. Repeatable.")
    ] = None
    scribble: Annotated[
        list[str] | None, prompt_option(metavar="x,y;x,y;...", help="A line in px. Repeatable.")
    ] = None
    mask: Annotated[
        list[Path] | None,
        prompt_option(
            metavar="FILE",
            help="A mask file of the image's size, not 0 inside the mask. Repeatable.",
        ),
    ] = None


def split_texts(
    words: Sequence[str], texts: Sequence[str] | None, kind: str
) -> tuple[list[str], list[str]]:
    """Split positional arguments into inputs and texts; without --text the last one is the text.

    kind: 'expression' or 'question', for the error. Raises UsageError if either is missing.
    """
    if texts:
        return list(words), [checked_text(text, kind) for text in texts]
    if not words:
        raise UsageError(f"There is no input and no {kind}: name images, then add it in quotes.")
    *inputs, text = words
    if _is_path(text):
        raise UsageError(
            f"{text!r} is a file: put the {kind} last, in quotes, as in"
            f" 'vlseg … {Path(text).name} \"…\"'."
        )
    if not inputs:
        raise UsageError(f"There is no input before the {kind} {text!r}: name an image first.")
    return inputs, [checked_text(text, kind)]


def checked_text(text: str, kind: str) -> str:
    """A text without surrounding blanks. Raises UsageError for an empty one, or half characters."""
    if not text.strip():
        raise UsageError(f"The {kind} is empty: write what to find, in quotes.")
    if not is_unicode(text):
        raise UsageError(f"The {kind} {shown(text)} is not UTF-8: set the terminal to UTF-8.")
    return text.strip()


def _is_path(text: str) -> bool:
    try:
        return text != "" and Path(text).exists()
    except (OSError, ValueError):
        return False


def parse_names(text: str | None, option: str = "--categories") -> tuple[str, ...]:
    """'cup, table' to names, each once; None to no names.

    option: which option the text is of. Raises UsageError without any name, or if another separator
    was probably meant.
    """
    if text is None:
        return ()
    for separator in ";|\n":
        if separator in text and "," not in text:
            raise UsageError(
                f"{option} {shown(text)} is split by {separator!r}: separate the names with"
                ' commas, as in "cup, table".'
            )
    if not is_unicode(text):
        raise UsageError(f"{option} {shown(text)} is not UTF-8: set the terminal to UTF-8.")
    names = each_once(text.split(","))
    if not names:
        raise UsageError(f'{option} names nothing: give names, as in "cup, table".')
    return names


def category_prompt(names: tuple[str, ...], model: Segmenter, task: Task) -> Categories:
    """The named categories, or all of the model's; those that the model has as stuff are marked.

    For tasks of single objects every name counts as countable.
    """
    if not names:
        return Categories(model.categories, model.stuff)
    if task in COUNTABLE:
        return Categories(names)
    stuff = dict(zip(model.categories, model.stuff, strict=True))
    return Categories(names, tuple(stuff.get(name, False) for name in names))


@dataclass(frozen=True, slots=True)
class RegionPrompt:
    """A region as it was given. where: points in px (two corners of a box), or a mask file."""

    kind: RegionKind
    where: tuple[Point, ...] | Path

    def on(self, frame: Frame) -> Region:
        """The region on the grid of a frame.

        Raises UsageError if it lies outside, InputError for a mask that cannot be read.
        """
        size = (frame.height, frame.width)
        if isinstance(self.where, Path):
            return mask_region(read_mask(self.where, *size))
        if self.kind == "box":
            (x0, y0), (x1, y1) = self.where
            return box_region((x0, y0, x1, y1), *size)
        draw = point_region if self.kind == "point" else scribble_region
        return draw(self.where, *size)

    def to_json(self) -> dict[str, Any]:
        """JSON values, with a mask file by the SHA-256 of its bytes.

        Raises InputError for a mask file that cannot be read.
        """
        if not isinstance(self.where, Path):
            return {self.kind: self.where}
        try:
            with open_regular(self.where, DEFAULT_LIMITS.file_bytes) as file:
                return {self.kind: hashlib.file_digest(file, "sha256").hexdigest()}
        except OSError as error:
            reason = reason_of(error)
            raise InputError(
                f"{self.where} cannot be opened ({reason}): is the path right?"
            ) from error


RegionPrompts = tuple[RegionPrompt, ...]


def regions_on(regions: RegionPrompts, frame: Frame) -> Regions:
    """Several regions on the grid of a frame, in order; raises as ``RegionPrompt.on``."""
    return Regions(tuple(region.on(frame) for region in regions))


def points_of(numbers: Sequence[float]) -> tuple[Point, ...]:
    """Pair x, y, x, y, …; no points at all for an odd number of values."""
    if len(numbers) % 2:
        return ()
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def numbers_in(text: str, between: str = ",") -> list[float]:
    """The numbers of 'x,y,…'; an empty list if any of them is not a finite number.

    between: a regular expression for the separator.
    """
    try:
        numbers = [float(part) for part in re.split(between, text)]
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) else []


def parse_regions(options: RegionOptions) -> RegionPrompts:
    """Points first, then boxes, scribbles, masks; each value is one region.

    Raises UsageError that shows how each is written.
    """
    return (
        *map(_point, options.point or ()),
        *map(_box, options.box or ()),
        *map(_scribble, options.scribble or ()),
        *(RegionPrompt("mask", path) for path in options.mask or ()),
    )


def _point(text: str) -> RegionPrompt:
    points = points_of(numbers_in(text))
    if not points:
        raise UsageError(f"--point {text!r} is not a point: write x,y in pixels, as in 120,80.")
    return RegionPrompt("point", points)


def _box(text: str) -> RegionPrompt:
    corners = points_of(numbers_in(text))
    if len(corners) != 2:
        raise UsageError(
            f"--box {text!r} is not a box: write x0,y0,x1,y1 in pixels, as in 40,30,200,150."
        )
    return RegionPrompt("box", corners)


def _scribble(text: str) -> RegionPrompt:
    points = [numbers_in(part) for part in text.strip("; ").split(";")]
    if any(len(point) != 2 for point in points):
        raise UsageError(
            f"--scribble {text!r} is not a line: write x,y;x,y;… in pixels, in quotes,"
            ' as in "10,20;60,40;90,80".'
        )
    return RegionPrompt("scribble", tuple((x, y) for x, y in points))
