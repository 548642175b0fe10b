"""The field's three ways to make a true mask of COCO polygons; a report must say which was used.

They differ by pixels along every edge, and where parts of one object overlap.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.opencv_polygon import fill_polygon

Parts = Sequence[Sequence[float]]  # each x1, y1, x2, y2, … in px, at least three points


def polygon_union(parts: Parts, height: int, width: int) -> NDArray[np.bool_]:
    """(H, W): whatever any part covers, by pycocotools. COCO's own rule and our default."""
    return polygon_sum(parts, height, width) > 0


def polygon_sum(parts: Parts, height: int, width: int) -> NDArray[np.uint8]:
    """(H, W): how many parts cover each pixel, by pycocotools.

    LISA and SELF1E take this sum for a mask: a pixel under two parts is neither target (1) nor
    background (0), so there the target is ``polygon_sum(…) == 1``.
    """
    from pycocotools import mask as coco

    covers: NDArray[np.uint8] = coco.decode(coco.frPyObjects(list(parts), height, width))
    total: NDArray[np.uint8] = covers.sum(axis=2, dtype=np.uint8)
    return total


def polygon_fill(parts: Parts, height: int, width: int) -> NDArray[np.bool_]:
    """(H, W): whatever any part covers, its points cut to whole pixels, by OpenCV's fillPoly.

    The rule of PSALM, HyperSeg and MVP-LM.
    """
    mask = np.zeros((height, width), bool)
    for part in parts:
        points = np.array(part, np.float64).reshape(-1, 2).astype(np.int32)
        mask |= fill_polygon(points, height, width)
    return mask


Polygons = Literal["union", "sum", "fill"]


def true_mask(segmentation: Any, height: int, width: int, polygons: Polygons) -> NDArray[np.bool_]:
    """Mask (H, W): polygons by one of three rules, or runs, compressed or not."""
    if isinstance(segmentation, dict):
        from pycocotools import mask as coco

        if isinstance(segmentation["counts"], list):
            segmentation = coco.frPyObjects(segmentation, height, width)
        return np.asarray(coco.decode(segmentation), bool)
    if polygons == "sum":
        return np.equal(polygon_sum(segmentation, height, width), 1)
    fill = polygon_union if polygons == "union" else polygon_fill
    return fill(segmentation, height, width)
