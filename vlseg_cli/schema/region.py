"""What a user points at, drawn as a mask: a disk, a stroke, a filled box, or the mask itself.

The command line and the drawn world draw alike here, so a model meets in use what it trained on.
Points are (x, y) in px of the original grid, from the top left corner.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema.errors import UsageError
from vlseg_cli.schema.prompt import Region

_POINT_RADIUS = 10 / 640  # of the longest side; a scribble's stroke is half as thick

Point = tuple[float, float]


def point_radius(height: int, width: int) -> int:
    """Radius of the disk around a point, px, for a picture of this size."""
    return max(2, round(_POINT_RADIUS * max(height, width)))


def stroke_radius(height: int, width: int) -> int:
    """Radius of a scribble's stroke, px."""
    return max(1, point_radius(height, width) // 2)


def point_region(
    points: Sequence[Point], height: int, width: int, radius: int | None = None
) -> Region:
    """Disks of ``radius`` px around one or several points, as one region.

    radius: None takes ``point_radius``. Raises UsageError for no point or one outside the picture.
    """
    _check(points, height, width, "point")
    reach = point_radius(height, width) if radius is None else radius
    mask = np.zeros((height, width), bool)
    for x, y in points:
        _stamp(mask, x, y, reach)
    return Region("point", mask)


def scribble_region(
    points: Sequence[Point], height: int, width: int, radius: int | None = None
) -> Region:
    """A stroke of ``radius`` px along a line of points.

    radius: None takes ``stroke_radius``. Raises UsageError for no point or one outside the picture.
    """
    _check(points, height, width, "scribble")
    reach = stroke_radius(height, width) if radius is None else radius
    mask = np.zeros((height, width), bool)
    line = np.asarray(points, float)
    for start, end in zip(line, np.vstack([line[1:], line[-1:]]), strict=True):
        steps = max(1, int(np.abs(end - start).max() / max(1, reach / 2)))
        for x, y in np.linspace(start, end, steps + 1):
            _stamp(mask, float(x), float(y), reach)
    return Region("scribble", mask)


def box_region(box: tuple[float, float, float, float], height: int, width: int) -> Region:
    """A filled box x0, y0, x1, y1 (x1, y1 exclusive), cut off at the picture's edge.

    Raises UsageError if nothing of it lies inside the picture.
    """
    x0, y0, x1, y1 = box
    mask = np.zeros((height, width), bool)
    mask[max(0, round(y0)) : max(0, round(y1)), max(0, round(x0)) : max(0, round(x1))] = True
    if not mask.any():
        raise UsageError(
            f"The box {x0:g},{y0:g},{x1:g},{y1:g} covers nothing of the {width} x {height} picture:"
            " give x0,y0,x1,y1 in pixels with x0 < x1 and y0 < y1."
        )
    return Region("box", mask)


def mask_region(mask: NDArray[np.bool_]) -> Region:
    """The region of a mask (H, W). Raises UsageError if it is empty."""
    if not mask.any():
        raise UsageError("The mask prompt is empty: mark at least one pixel (non-zero values).")
    return Region("mask", mask.astype(bool))


def _stamp(mask: NDArray[np.bool_], x: float, y: float, radius: int) -> None:
    """Set the disk around (x, y) in place; only its own window of the mask is touched."""
    height, width = mask.shape
    left, right = max(0, int(x) - radius), min(width, int(x) + radius + 1)
    top, bottom = max(0, int(y) - radius), min(height, int(y) + radius + 1)
    rows, columns = np.ogrid[top:bottom, left:right]
    disk = (rows - int(y)) ** 2 + (columns - int(x)) ** 2 <= radius**2
    mask[top:bottom, left:right] |= disk


def _check(points: Sequence[Point], height: int, width: int, kind: str) -> None:
    if not points:
        raise UsageError(f"The {kind} prompt has no point: give at least one x,y in pixels.")
    for x, y in points:
        if not (0 <= x < width and 0 <= y < height):
            raise UsageError(
                f"The {kind} {x:g},{y:g} is outside the {width} x {height} picture: x goes from 0"
                f" to {width - 1}, y from 0 to {height - 1}."
            )
