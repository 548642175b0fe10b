"""Referring expression comprehension: the share of boxes that overlap the true one enough.

REC accuracy@0.5 of MVP-LM (table 5) and most of the field: IoU of continuous boxes (no +1).
MDETR's ``refexp_eval.py`` requires it of the generalized IoU (Rezatofighi et al. 2019), which is
stricter.
"""

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.exact import AccuracyMeter

Box = tuple[float, float, float, float]  # x, y, w, h in px


class BoxAccuracy(AccuracyMeter):
    """One box per sentence or ref; correct from an overlap of ``threshold`` on, itself included.

    generalized: measure by generalized IoU, as MDETR does. strict: an overlap of exactly
    ``threshold`` is not enough.
    """

    def __init__(
        self, threshold: float = 0.5, *, generalized: bool = False, strict: bool = False
    ) -> None:
        super().__init__()
        self._threshold = threshold
        self._overlap = generalized_box_iou if generalized else box_iou
        self._strict = strict

    def add(self, prediction: Box, truth: Box) -> float:
        """Count one predicted box; returns its overlap: IoU in [0, 1], generalized in (-1, 1]."""
        overlap = self._overlap(prediction, truth)
        reached = overlap == self._threshold and not self._strict
        self.count(reached or overlap > self._threshold)
        return overlap


def box_iou(first: Box, second: Box) -> float:
    """IoU of two boxes in [0, 1], operation by operation as pycocotools' ``bbIou``."""
    width, height = (
        min(first[i + 2] + first[i], second[i + 2] + second[i]) - max(first[i], second[i])
        for i in (0, 1)
    )
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (first[2] * first[3] + second[2] * second[3] - both)


def generalized_box_iou(first: Box, second: Box) -> float:
    """IoU less the share of the smallest box around both that neither covers; in (-1, 1].

    In float32, as MDETR's tensors are: whether one half is reached may depend on it. Boxes without
    an area score 0.
    """
    (low, high), (other_low, other_high) = _corners(first), _corners(second)
    common = np.minimum(high, other_high) - np.maximum(low, other_low)
    both = np.prod(np.maximum(common, 0))
    either = np.prod(high - low) + np.prod(other_high - other_low) - both
    around = np.prod(np.maximum(high, other_high) - np.minimum(low, other_low))
    return float(both / either - (around - either) / around) if either > 0 else 0.0


def _corners(box: Box) -> NDArray[np.float32]:
    """The upper left and the lower right corner, (2, 2)."""
    x, y, width, height = box
    return np.array([[x, y], [x + width, y + height]], np.float32)
