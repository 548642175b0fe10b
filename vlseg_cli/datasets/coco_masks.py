"""The true mask of a COCO annotation: polygons by the field's three rules, or runs as they are."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.polygons import polygon_fill, polygon_sum, polygon_union

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
