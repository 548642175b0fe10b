"""Points, scribbles, boxes and masks as region prompts: rasterized to (H, W) bool.

The command line and the synthetic scenes both use these functions, so that prompts are the same in
training and inference. Points are (x, y) in px at the original size, from the top left corner.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema.errors import UsageError
from vlseg_cli.schema.prompt import Region

_POINT_RADIUS = 10 / 640  # of the longest side; a scribble's stroke is half as thick

Point = tuple[float, float]


def point_radius(height: int, width: int) -> int:
    """Radius of the disk around a point, px, for an image of this size."""
    return max(2, round(_POINT_RADIUS * max(height, width)))


def stroke_radius(height: int, width: int) -> int:
    """Radius of a scribble's stroke, px."""
    return max(1, point_radius(height, width) // 2)


def point_region(
    points: Sequence[Point], height: int, width: int, radius: int | None = None
) -> Region:
    """Disks of ``radius`` px around one or several points, as one region.

    radius: None takes ``point_radius``. Raises UsageError for no point or one outside the image.
    """
    _check(points, height, width, "point")
    radius = point_radius(height, width) if radius is None else radius
    return Region("point", _rasterize(points, height, width, radius, joined=False))


def scribble_region(
    points: Sequence[Point], height: int, width: int, radius: int | None = None
) -> Region:
    """A stroke of ``radius`` px along a line of points.

    radius: None takes ``stroke_radius``. Raises UsageError for no point or one outside the image.
    """
    _check(points, height, width, "scribble")
    radius = stroke_radius(height, width) if radius is None else radius
    return Region("scribble", _rasterize(points, height, width, radius, joined=True))


def box_region(box: tuple[float, float, float, float], height: int, width: int) -> Region:
    """A filled box x0, y0, x1, y1 (x1, y1 exclusive), cut off at the image's edge.

    Raises UsageError if nothing of it lies inside the image.
    """
    x0, y0, x1, y1 = box
    mask = np.zeros((height, width), bool)
    mask[max(0, round(y0)) : max(0, round(y1)), max(0, round(x0)) : max(0, round(x1))] = True
    if not mask.any():
        raise UsageError(
            f"The box {x0:g},{y0:g},{x1:g},{y1:g} covers nothing of the {width} x {height} image:"
            " give x0,y0,x1,y1 in pixels with x0 < x1 and y0 < y1."
        )
    return Region("box", mask)


def mask_region(mask: NDArray[np.bool_]) -> Region:
    """The region of a mask (H, W). Raises UsageError if it is empty."""
    if not mask.any():
        raise UsageError("The mask prompt is empty: mark at least one pixel (non-zero values).")
    return Region("mask", mask.astype(bool))


def _rasterize(
    points: Sequence[Point], height: int, width: int, radius: int, joined: bool
) -> NDArray[np.bool_]:
    """Disks at the points, and a thick line through them if joined: (H, W) bool."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (width, height))
    pen = ImageDraw.Draw(image)
    pixels = [(int(x), int(y)) for x, y in points]
    for x, y in pixels:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    if joined and len(pixels) > 1:
        pen.line(pixels, fill=1, width=2 * radius + 1)
    return np.asarray(image, bool)


def _check(points: Sequence[Point], height: int, width: int, kind: str) -> None:
    if not points:
        raise UsageError(f"The {kind} prompt has no point: give at least one x,y in pixels.")
    for x, y in points:
        if not (0 <= x < width and 0 <= y < height):
            raise UsageError(
                f"The {kind} {x:g},{y:g} is outside the {width} x {height} image: x goes from 0"
                f" to {width - 1}, y from 0 to {height - 1}."
            )
