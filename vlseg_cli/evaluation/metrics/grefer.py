"""Generalized referring segmentation (gRefCOCO): an expression has several targets, or none.

The rules of gRefCOCO's own evaluator (henghuiding/ReLA, ``refer_evaluation.py``; Liu et al. 2023,
section 4): a model predicts a mask and a no-target flag for each sentence.
Models without such a flag (PSALM, HyperSeg, MVP-LM, SELF1E) are scored by ``MaskIoU`` instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.exact import ExactSum
from vlseg_cli.evaluation.metrics.refer import overlap

GENERALIZED_PRECISIONS = (0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class GeneralizedResult:
    """Scores in [0, 1], each None if no sample concerns it.

    n_accuracy: share of sentences without a target that were predicted to have none (N-acc.).
    t_accuracy: share of sentences with a target that were predicted to have one (T-acc.).
    precision: share of sentences with a target whose IoU reaches each threshold.
    """

    ciou: float | None
    giou: float | None
    n_accuracy: float | None
    t_accuracy: float | None
    precision: dict[float, float | None]
    n: int


class GeneralizedMaskIoU:
    """A mask and a no-target flag per sentence."""

    def __init__(self, thresholds: Sequence[float] = GENERALIZED_PRECISIONS) -> None:
        self._intersection = 0
        self._union = 0
        self._ious = ExactSum()
        self._outcomes = np.zeros((2, 2), np.int64)  # truth and prediction without a target
        self._reached = dict.fromkeys(thresholds, 0)

    def add(
        self,
        prediction: NDArray[np.bool_],
        truth: NDArray[np.bool_],
        predicted_no_target: bool,
        truly_no_target: bool,
    ) -> float:
        """Count one sentence's (H, W) mask and flag; returns its IoU in [0, 1].

        A flag wrongly set makes the IoU 0 but does not empty the mask: its union still counts.
        Raises InputError if the sizes differ.
        """
        self._outcomes[int(truly_no_target), int(predicted_no_target)] += 1
        iou = 1.0
        if not (truly_no_target and predicted_no_target):
            both, either = overlap(prediction, truth)
            if truly_no_target or predicted_no_target:
                both = 0
            self._intersection += both
            self._union += either
            iou = both / either if either else 0.0
        if not truly_no_target:
            for threshold in self._reached:
                self._reached[threshold] += iou >= threshold
        self._ious.add(iou)
        return iou

    def merge(self, other: "GeneralizedMaskIoU") -> None:
        """Take over all sentences of a meter with the same thresholds."""
        self._intersection += other._intersection
        self._union += other._union
        self._ious.merge(other._ious)
        self._outcomes += other._outcomes
        for threshold, count in other._reached.items():
            self._reached[threshold] += count

    def result(self) -> GeneralizedResult:
        """The scores over everything that was added."""
        targets, no_targets = (int(count) for count in self._outcomes.sum(axis=1))
        return GeneralizedResult(
            ciou=_share(self._intersection, self._union),
            giou=self._ious.mean,
            n_accuracy=_share(int(self._outcomes[1, 1]), no_targets),
            t_accuracy=_share(int(self._outcomes[0, 0]), targets),
            precision={at: _share(count, targets) for at, count in self._reached.items()},
            n=self._ious.count,
        )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
