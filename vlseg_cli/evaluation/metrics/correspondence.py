"""Ego-Exo4D correspondence: IoU of objects shown in one view and found in another.

Grauman et al. 2024; the mean over objects, cameras and frames of the pairs in which the object can
be seen, which is what PSALM reports for each direction.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.exact import ExactSum
from vlseg_cli.evaluation.metrics.jf import region_similarity


@dataclass(frozen=True, slots=True)
class CorrespondenceResult:
    """Mean IoU in [0, 1] over ``n`` objects in views; None if none came."""

    iou: float | None
    n: int


class CorrespondenceIoU:
    """One mask per object and view."""

    def __init__(self) -> None:
        self._ious = ExactSum()

    def add(self, prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
        """Count one object's masks (H, W) in a view that shows it; returns their IoU."""
        iou = region_similarity(prediction, truth)
        self._ious.add(iou)
        return iou

    def merge(self, other: "CorrespondenceIoU") -> None:
        """Take over all objects of another meter."""
        self._ious.merge(other._ious)

    def result(self) -> CorrespondenceResult:
        """The mean over everything that came."""
        return CorrespondenceResult(self._ious.mean, self._ious.count)
