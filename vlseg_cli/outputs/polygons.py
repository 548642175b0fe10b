"""The outlines of a mask as polygons, for formats that know no pixels."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema import Segment, bounds_rle, decode_rle

Points = NDArray[np.float64]


def outlines(segment: Segment) -> list[Points]:
    """The outer outline (P, 2) of each connected part, x and y in px, (0, 0) the picture's corner.

    Outlines run through the middles between the pixels inside and outside, so that slanting edges
    become straight lines; holes are filled.
    """
    from contourpy import FillType, contour_generator

    x, y, width, height = bounds_rle(segment.rle)
    if not segment.area:
        return []
    inside = np.pad(decode_rle(segment.rle)[y : y + height, x : x + width], 1).astype(np.float32)
    generator = contour_generator(z=inside, fill_type=FillType.OuterOffset)
    parts, offsets = cast(tuple[list[Points], list[Points]], generator.filled(0.5, 2.0))
    # A pixel's centre is half a pixel from its corner, and padding moved everything by one.
    corner = np.array([x - 0.5, y - 0.5])
    return [
        corner + _without_middles(part[: int(ends[1]) - 1])
        for part, ends in zip(parts, offsets, strict=True)
    ]


def _without_middles(polygon: Points) -> Points:
    """Drop the points that lie on the straight line between their neighbours."""
    before, after = polygon - np.roll(polygon, 1, 0), np.roll(polygon, -1, 0) - polygon
    turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    kept: Points = polygon[turns]
    return kept
