"""Ground-truth masks of COCO annotations: polygons rasterized by one of three rules, or runs.

Files may state anything: ``true_mask`` checks what it is given before pycocotools sees it.
The rules differ by pixels along every edge and where parts of one object overlap, so a report must
say which one was used. OpenCV's ``fillPoly`` is reproduced pixel for pixel without OpenCV: every
edge is an 8-connected line, rows between edges are filled in fixed point, and both are clipped in
their own way (``modules/imgproc/src/drawing.cpp``).
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema import InputError, checked_rle, decode_rle

Parts = Sequence[Sequence[float]]  # each x1, y1, x2, y2, … in px, at least three points


def polygon_union(parts: Parts, height: int, width: int) -> NDArray[np.bool_]:
    """Union (H, W) of the parts, by pycocotools: COCO's rule and the default."""
    return polygon_sum(parts, height, width) > 0


def polygon_sum(parts: Parts, height: int, width: int) -> NDArray[np.uint8]:
    """Number of parts that cover each pixel (H, W), by pycocotools.

    LISA and SELF1E use this sum as a mask: a pixel covered twice is neither target (1) nor
    background (0), so their target is ``polygon_sum(…) == 1``.
    """
    from pycocotools import mask as coco

    total = np.zeros((height, width), np.uint8)
    for part in parts:  # one by one: of many parts, all masks at once need too much memory
        total += coco.decode(coco.frPyObjects([part], height, width))[:, :, 0]
    return total


def polygon_fill(parts: Parts, height: int, width: int) -> NDArray[np.bool_]:
    """Union (H, W) of the parts with truncated points, as by OpenCV's ``fillPoly``.

    The rule of PSALM, HyperSeg and MVP-LM.
    """
    mask = np.zeros((height, width), bool)
    for part in parts:
        points = np.array(part, np.float64).reshape(-1, 2).astype(np.int32)
        mask |= fill_polygon(points, height, width)
    return mask


Polygons = Literal["union", "sum", "fill"]
POLYGON_RULES: tuple[Polygons, ...] = ("union", "sum", "fill")


def true_mask(
    segmentation: Any, height: int, width: int, polygons: Polygons, file: object
) -> NDArray[np.bool_]:
    """Mask (H, W): polygons by one of three rules, or runs, compressed or not.

    file: which states it. Raises InputError unless it is a mask of an image of this size.
    """
    try:
        if isinstance(segmentation, dict):
            return decode_rle(checked_rle(segmentation, (height, width)))
        parts = checked_parts(segmentation)
    except ValueError as error:
        raise InputError(f"{file} is damaged: {error}. Fetch it again.") from error
    if polygons == "sum":
        return np.equal(polygon_sum(parts, height, width), 1)
    fill = polygon_union if polygons == "union" else polygon_fill
    return fill(parts, height, width)


_FARTHEST = 1 << 20  # px from the image's corner
_MOST_STEPS = 1 << 22  # px along all edges, and points: what rasterizing takes time and memory for
_MOST_PARTS = 1 << 12


def checked_parts(stated: Any) -> list[list[float]]:
    """The parts of a polygon that a file states. Raises ValueError, whose text is a clause."""
    if not isinstance(stated, list) or len(stated) > _MOST_PARTS:
        raise ValueError(f"a polygon is no list of at most {_MOST_PARTS} parts")
    parts, steps = [], 0.0
    for part in stated:
        if not isinstance(part, list) or len(part) < 6:
            raise ValueError("a part of a polygon has less than three points")
        points = checked_points(part)
        steps += _steps(points)
        parts.append(points.ravel().tolist())
    if steps > _MOST_STEPS:
        raise ValueError("a polygon's edges are longer than any object's")
    return parts


def checked_points(stated: Any) -> NDArray[np.float64]:
    """Points (n, 2) that a file states. Raises ValueError, whose text is a clause."""
    try:
        points = np.array(stated, np.float64).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError("a polygon is no list of points") from error
    if not len(points) or not (np.abs(points) <= _FARTHEST).all():  # NaN is not
        raise ValueError("a polygon has no point, or one far from every image")
    if _steps(points) > _MOST_STEPS:
        raise ValueError("a polygon's edges are longer than any object's")
    return points


def _steps(points: NDArray[np.float64]) -> float:
    return len(points) + float(np.abs(points - np.roll(points, 1, 0)).max(1).sum())


_ONE = 1 << 16  # fixed point: 16 fractional bits

Point = tuple[int, int]  # x, y in px


class _Edge(NamedTuple):
    """Rows top <= y < bottom; x in fixed point at ``top``, growing by ``slope`` each row."""

    top: int
    bottom: int
    x: int
    slope: int


def fill_polygon(points: NDArray[np.integer], height: int, width: int) -> NDArray[np.bool_]:
    """Mask (H, W) of a closed polygon with integer points (n, 2), x before y.

    Points may lie outside. Pixels on an edge belong to the polygon.
    """
    mask = np.zeros((height, width), bool)
    corners = [(int(x), int(y)) for x, y in points]
    edges = []
    for start, end in zip([*corners[-1:], *corners[:-1]], corners, strict=True):
        clipped_start, clipped_end, visible = _clip_line(start, end, height, width)
        if visible:
            _draw_line(mask, clipped_start, clipped_end)
        if start[1] != end[1]:
            edges.append(_edge(start, end, clipped_start, clipped_end))
    return mask | _between(edges, height, width)


def _edge(start: Point, end: Point, clipped_start: Point, clipped_end: Point) -> _Edge:
    """The sloping edge over the rows from start to end, run through its clipped ends."""
    (x0, y0), (x1, y1) = clipped_start, clipped_end
    if y0 == y1:  # clipped to a single point: only x is taken over
        y0, y1 = start[1], end[1]
    slope = _truncated((x1 - x0) * _ONE, y1 - y0)
    top = min(start[1], end[1])
    x, y = (x0, y0) if top == start[1] else (x1, y1)
    return _Edge(top, max(start[1], end[1]), x * _ONE + (top - y) * slope, slope)


def _between(edges: list[_Edge], height: int, width: int) -> NDArray[np.bool_]:
    """Pixels between the first and second, third and fourth, … edge of each row, ends included."""
    rows, crossings = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for edge in edges:
        y = np.arange(max(edge.top, 0), min(edge.bottom, height))
        rows.append(y)
        crossings.append(edge.x + (y - edge.top) * edge.slope)
    row, x = np.concatenate(rows), np.concatenate(crossings)
    order = np.lexsort((x, row))
    row, enter, leave = row[order][::2], x[order][::2], x[order][1::2]
    # A closed polygon crosses every row an even number of times, so pairs never straddle rows.
    left = np.clip(-(-enter // _ONE), 0, width)
    right = np.clip(leave // _ONE + 1, left, width)  # exclusive; empty if not past left
    steps = np.zeros((height, width + 1), np.int64)
    np.add.at(steps, (row, left), 1)
    np.add.at(steps, (row, right), -1)
    return steps.cumsum(axis=1)[:, :-1] > 0


def _draw_line(mask: NDArray[np.bool_], start: Point, end: Point) -> None:
    """Set an 8-connected line, from left to right, in place; both ends lie inside."""
    (x0, y0), (x1, y1) = (start, end) if start[0] <= end[0] else (end, start)
    across, down, step = x1 - x0, abs(y1 - y0), 1 if y1 >= y0 else -1
    longer, shorter = max(across, down), min(across, down)
    along = np.arange(longer + 1)
    # Half a pixel exactly does not step aside yet.
    aside = -((longer - 2 * shorter * along) // (2 * longer)) if longer else along
    if down > across:
        mask[y0 + step * along, x0 + aside] = True
    else:
        mask[y0 + step * aside, x0 + along] = True


def _clip_line(start: Point, end: Point, height: int, width: int) -> tuple[Point, Point, bool]:
    """Move ends that lie outside to the image border; False if no part of the line is inside.

    First to the top or bottom row, then to the left or right column, each time rounding towards
    zero. A line found to be outside only midway keeps the ends moved so far.
    """
    ends, limits = [list(start), list(end)], (width - 1, height - 1)
    for axis in (1, 0):
        sides = [_outside(point, limits) for point in ends]
        if not _crosses(sides):
            break
        for moved in (0, 1):
            if outside := _outside(ends[moved], limits)[axis]:
                rim = 0 if outside < 0 else limits[axis]
                point, other = ends[moved], ends[1 - moved]
                rise, run = other[1 - axis] - point[1 - axis], other[axis] - point[axis]
                point[1 - axis] += int((rim - point[axis]) * rise / run)
                point[axis] = rim
    sides = [_outside(point, limits) for point in ends]
    return (ends[0][0], ends[0][1]), (ends[1][0], ends[1][1]), sides == [(0, 0), (0, 0)]


def _outside(point: list[int], limits: tuple[int, int]) -> tuple[int, int]:
    """-1, 0 or 1 for x and y: before, inside, beyond the image."""
    across, down = (
        (value > limit) - (value < 0) for value, limit in zip(point, limits, strict=True)
    )
    return across, down


def _crosses(sides: list[tuple[int, int]]) -> bool:
    """Not all inside, and not both ends beyond the same side."""
    beyond_same = any(first and first == second for first, second in zip(*sides, strict=True))
    return sides != [(0, 0), (0, 0)] and not beyond_same


def _truncated(dividend: int, divisor: int) -> int:
    """Division towards zero."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient
