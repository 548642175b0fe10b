"""Referring and reasoning segmentation: cIoU, gIoU and Precision@X over one mask per sample.

The formulas of LISA's ``train.py`` (validate) and PSALM's ``eval/eval_refcoco.py``. They add
float32 and round beyond 2^24 pixels; pixel counts here are whole numbers. The caller decides
what a sample is: a sentence (LISA, HRSeg, SELF1E), or a ref with all its sentences (PSALM,
HyperSeg, MVP-LM).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.exact import ExactSum
from vlseg_cli.schema import InputError

PRECISIONS = (0.5, 0.6, 0.7, 0.8, 0.9)
_CUMULATIVE_EPSILON = 1e-10


class MaskScore(NamedTuple):
    """One sample: pixels of intersection and union, and the IoU that enters gIoU."""

    intersection: int
    union: int
    iou: float


@dataclass(frozen=True, slots=True)
class MaskIoUResult:
    """Scores in [0, 1] over ``n`` samples, None if there were none.

    ciou: all intersections over all unions (also cumulative or overall IoU). giou: mean IoU.
    precision: share of samples whose exact IoU reaches each threshold.
    """

    ciou: float | None
    giou: float | None
    precision: dict[float, float | None]
    n: int


class MaskIoU:
    """IoU of one predicted mask per sample.

    union_epsilon: added to the union of each sample's IoU; 1e-5 in LISA, PSALM and HyperSeg, 1e-8
    in LLM-Seg and HRSeg. count_epsilon: added to n under the mean; LISA's meter has 1e-5 there
    once it has been reduced over processes. Truth and prediction both empty score 1.
    """

    def __init__(
        self,
        union_epsilon: float = 1e-5,
        count_epsilon: float = 0.0,
        thresholds: Sequence[float] = PRECISIONS,
    ) -> None:
        self._union_epsilon = union_epsilon
        self._count_epsilon = count_epsilon
        self._intersection = 0
        self._union = 0
        self._ious = ExactSum()
        self._reached = dict.fromkeys(thresholds, 0)

    def add(
        self,
        prediction: NDArray[np.bool_],
        truth: NDArray[np.bool_],
        ignore: NDArray[np.bool_] | None = None,
    ) -> MaskScore:
        """Count one (H, W) prediction against its (H, W) truth.

        ignore: (H, W), pixels that count neither way. Raises InputError if the sizes differ.
        """
        both, either = overlap(prediction, truth, ignore)
        score = MaskScore(both, either, both / (either + self._union_epsilon) if either else 1.0)
        self._intersection += both
        self._union += either
        self._ious.add(score.iou)
        exact = both / either if either else 1.0
        for threshold in self._reached:
            self._reached[threshold] += exact >= threshold
        return score

    def merge(self, other: "MaskIoU") -> None:
        """Take over all samples of a meter with the same settings."""
        self._intersection += other._intersection
        self._union += other._union
        self._ious.merge(other._ious)
        for threshold, count in other._reached.items():
            self._reached[threshold] += count

    def result(self) -> MaskIoUResult:
        """The scores over everything that was added."""
        n = self._ious.count
        if not n:
            return MaskIoUResult(None, None, dict.fromkeys(self._reached), 0)
        return MaskIoUResult(
            ciou=self._intersection / (self._union + _CUMULATIVE_EPSILON),
            giou=self._ious.total / (n + self._count_epsilon),
            precision={threshold: count / n for threshold, count in self._reached.items()},
            n=n,
        )


def overlap(
    prediction: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    ignore: NDArray[np.bool_] | None = None,
) -> tuple[int, int]:
    """Pixels of intersection and union of two (H, W) masks, ``ignore`` left out of both.

    Raises InputError if the sizes differ.
    """
    if prediction.shape != truth.shape:
        raise InputError(
            f"A predicted mask is {prediction.shape}, its truth {truth.shape}: "
            "resize the prediction to the image's own grid first."
        )
    both, either = prediction & truth, prediction | truth
    if ignore is not None:
        both, either = both & ~ignore, either & ~ignore
    return int(np.count_nonzero(both)), int(np.count_nonzero(either))
