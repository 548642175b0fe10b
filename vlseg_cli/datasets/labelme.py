"""ReasonSeg's masks: outlined shapes, large ones under small ones, some of them to be ignored.

LISA's ``utils/data_processing.py`` (get_mask_from_json), which SELF1E, LLM-Seg and HyperSeg share.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.opencv_polygon import fill_polygon


class ShapeMasks(NamedTuple):
    """target, ignore: (H, W); no pixel is in both."""

    target: NDArray[np.bool_]
    ignore: NDArray[np.bool_]


def shape_masks(
    shapes: Sequence[Mapping[str, Any]],
    height: int,
    width: int,
    *,
    ignore_is_background: bool = False,
) -> ShapeMasks:
    """Paint ``shapes`` (label, points) from the largest to the smallest; of equals the last first.

    A label with "ignore" in it marks pixels that count neither way, "flag" is no mask, anything
    else is the target. ignore_is_background: HyperSeg's reading, where answers in such pixels are
    wrong.
    """
    kept = [shape for shape in shapes if shape["label"].lower() != "flag"]
    masks = [_filled(shape, height, width) for shape in kept]
    target, ignore = np.zeros((height, width), bool), np.zeros((height, width), bool)
    areas = [np.count_nonzero(mask) for mask in masks]
    for number in np.argsort(areas, kind="stable")[::-1]:
        is_ignored = "ignore" in kept[number]["label"].lower()
        target[masks[number]] = not is_ignored
        ignore[masks[number]] = is_ignored and not ignore_is_background
    return ShapeMasks(target, ignore)


def _filled(shape: Mapping[str, Any], height: int, width: int) -> NDArray[np.bool_]:
    """Points are cut to whole pixels."""
    return fill_polygon(np.array(shape["points"], np.float64).astype(np.int32), height, width)
