"""What a user points at, not yet tied to a picture: points, boxes, scribbles and mask files.

The options of the command line and the rows of a prompts file both end here.
"""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlseg_cli.media import read_mask
from vlseg_cli.schema import Frame, InputError, Region, Regions
from vlseg_cli.schema.prompt import RegionKind
from vlseg_cli.schema.region import (
    Point,
    box_region,
    mask_region,
    point_region,
    scribble_region,
)


@dataclass(frozen=True, slots=True)
class Place:
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


Places = tuple[Place, ...]


def regions_on(places: Places, frame: Frame) -> Regions:
    """Draw several places, in their order; raises as ``Place.on``."""
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
