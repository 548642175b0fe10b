"""Masks for region prompts: COCO-Interactive's mIoU and cIoU, Ego-Exo4D's mean IoU.

COCO-Interactive scores every region of an image (PSALM); Ego-Exo4D an object that is given in one
view and segmented in another (Grauman et al. 2024), the mean over objects, cameras and frames of
the pairs in which it is visible, which is what PSALM reports for each direction.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.exact import ExactSum
from vlseg_cli.evaluation.metrics.jf import region_similarity
from vlseg_cli.evaluation.metrics.refer import MaskIoU, MaskScore


@dataclass(frozen=True, slots=True)
class InteractiveScore:
    """cIoU and mIoU in [0, 1] over ``n`` regions, None if there were none."""

    ciou: float | None
    miou: float | None
    n: int


class InteractiveIoU:
    """One mask per region; kinds are any text ('point', 'box', …)."""

    def __init__(self) -> None:
        self._kinds: dict[str, MaskIoU] = {}

    def add(
        self,
        kind: str,
        prediction: NDArray[np.bool_],
        truth: NDArray[np.bool_],
        ignore: NDArray[np.bool_] | None = None,
    ) -> MaskScore:
        """Count one region's (H, W) prediction. Raises InputError if the sizes differ."""
        return self._kinds.setdefault(kind, MaskIoU()).add(prediction, truth, ignore)

    def merge(self, other: "InteractiveIoU") -> None:
        """Take over all regions of another meter."""
        for kind, meter in other._kinds.items():
            self._kinds.setdefault(kind, MaskIoU()).merge(meter)

    def result(self) -> dict[str, InteractiveScore]:
        """Scores by kind, kinds in alphabetical order."""
        scores = {}
        for kind, meter in sorted(self._kinds.items()):
            whole = meter.result()
            scores[kind] = InteractiveScore(whole.ciou, whole.giou, whole.n)
        return scores


@dataclass(frozen=True, slots=True)
class CorrespondenceResult:
    """Mean IoU in [0, 1] over ``n`` objects in views; None if there were none."""

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
        """The mean over everything that was added."""
        return CorrespondenceResult(self._ious.mean, self._ious.count)
