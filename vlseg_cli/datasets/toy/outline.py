"""The outline of a mask as polygons, as annotation files have it."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

Corner = tuple[int, int]  # x, y between pixels

# Along a pixel's side with the mask on the right: where the side begins and ends, and the neighbor
# (row, column) that must be outside.
_SIDES = (
    ((0, 0), (1, 0), (-1, 0)),
    ((1, 0), (1, 1), (0, 1)),
    ((1, 1), (0, 1), (1, 0)),
    ((0, 1), (0, 0), (0, -1)),
)


def outline(mask: NDArray[np.bool_]) -> list[list[Corner]]:
    """Closed polygons around the parts of a (H, W) mask; holes are not told.

    Filling them as pycocotools does gives back the mask, its holes filled.
    """
    following = _sides(mask)
    polygons = []
    while following:
        corner = next(iter(following))
        loop: list[Corner] = []
        while corner in following:
            loop.append(corner)
            ends = following[corner]
            after = ends.pop()
            if not ends:
                del following[corner]
            corner = after
        if _area(loop) > 0:
            polygons.append(_straightened(loop))
    return polygons


def _sides(mask: NDArray[np.bool_]) -> dict[Corner, list[Corner]]:
    """Every side between mask and background, from its first corner to its second."""
    rim = np.pad(mask, 1)
    sides: dict[Corner, list[Corner]] = defaultdict(list)
    for (x0, y0), (x1, y1), (down, right) in _SIDES:
        outside = np.roll(rim, (-down, -right), (0, 1))
        for y, x in np.argwhere(rim & ~outside).tolist():
            sides[x - 1 + x0, y - 1 + y0].append((x - 1 + x1, y - 1 + y1))
    return dict(sides)


def _area(loop: list[Corner]) -> float:
    """Above 0 around a part, below 0 around a hole."""
    following = [*loop[1:], loop[0]]
    pairs = zip(loop, following, strict=True)
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs) / 2


def _straightened(loop: list[Corner]) -> list[Corner]:
    """The loop without corners in the middle of a straight side."""
    before, after = [loop[-1], *loop[:-1]], [*loop[1:], loop[0]]
    return [
        corner
        for first, corner, last in zip(before, loop, after, strict=True)
        if len({first[0], corner[0], last[0]}) > 1 and len({first[1], corner[1], last[1]}) > 1
    ]
