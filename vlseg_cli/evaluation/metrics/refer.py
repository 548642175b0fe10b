"""Referring and reasoning segmentation: cIoU, gIoU and Precision@X over one mask per sample.

The formulas of LISA's ``train.py`` (validate) and PSALM's ``eval/eval_refcoco.py``. They add
float32 and round beyond 2^24 pixels; pixel counts here are whole numbers. The caller decides
what a sample is: a sentence (LISA, HRSeg, SELF1E), or a ref with all its sentences (PSALM,
HyperSeg, MVP-LM). gRefCOCO, where an expression has several targets or none, has its own rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.exact import ExactSum, share
from vlseg_cli.schema import InputError

PRECISIONS = (0.5, 0.6, 0.7, 0.8, 0.9)
GENERALIZED_PRECISIONS = (0.7, 0.8, 0.9)
_CUMULATIVE_EPSILON = 1e-10


class MaskScore(NamedTuple):
    """One sample: pixels of intersection and union, and the IoU that enters gIoU."""

    intersection: int
    union: int
    iou: float


class _MaskMeter:
    """What is added up over samples."""

    def __init__(self, thresholds: Sequence[float]) -> None:
        self._intersection = self._union = 0
        self._ious = ExactSum()
        self._reached = dict.fromkeys(thresholds, 0)

    def merge(self, other: Self) -> None:
        """Take over all samples of a meter with the same settings."""
        self._intersection += other._intersection
        self._union += other._union
        self._ious.merge(other._ious)
        for threshold, count in other._reached.items():
            self._reached[threshold] += count

    def _count(self, score: MaskScore) -> None:
        self._intersection += score.intersection
        self._union += score.union
        self._ious.add(score.iou)

    def _count_precision(self, iou: float) -> None:
        for threshold in self._reached:
            self._reached[threshold] += iou >= threshold


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


class MaskIoU(_MaskMeter):
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
        super().__init__(thresholds)
        self._union_epsilon, self._count_epsilon = union_epsilon, count_epsilon

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
        self._count(score)
        self._count_precision(both / either if either else 1.0)
        return score

    def result(self) -> MaskIoUResult:
        """The scores over everything that was added."""
        n = self._ious.count
        return MaskIoUResult(
            ciou=self._intersection / (self._union + _CUMULATIVE_EPSILON) if n else None,
            giou=self._ious.total / (n + self._count_epsilon) if n else None,
            precision={threshold: share(count, n) for threshold, count in self._reached.items()},
            n=n,
        )


@dataclass(frozen=True, slots=True)
class GeneralizedResult:
    """Scores in [0, 1], each None if no sample concerns it.

    n_accuracy, t_accuracy: share of the sentences without (with) a target that were predicted to
    have none (one).
    precision: share of sentences with a target whose IoU reaches each threshold.
    """

    ciou: float | None
    giou: float | None
    n_accuracy: float | None
    t_accuracy: float | None
    precision: dict[float, float | None]
    n: int


class GeneralizedMaskIoU(_MaskMeter):
    """A mask and a no-target flag per sentence, as gRefCOCO's own evaluator counts them.

    henghuiding/ReLA, ``refer_evaluation.py`` (Liu et al. 2023, section 4). Models without such a
    flag (PSALM, HyperSeg, MVP-LM, SELF1E) are scored by ``MaskIoU``.
    """

    def __init__(self, thresholds: Sequence[float] = GENERALIZED_PRECISIONS) -> None:
        super().__init__(thresholds)
        self._outcomes = np.zeros((2, 2), np.int64)  # truth and prediction without a target

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
        score = MaskScore(0, 0, 1.0)
        if not (truly_no_target and predicted_no_target):
            both, either = overlap(prediction, truth)
            if truly_no_target or predicted_no_target:
                both = 0
            score = MaskScore(both, either, both / either if either else 0.0)
        self._count(score)
        if not truly_no_target:
            self._count_precision(score.iou)
        return score.iou

    def merge(self, other: Self) -> None:
        """Take over all sentences of a meter with the same thresholds."""
        super().merge(other)
        self._outcomes += other._outcomes

    def result(self) -> GeneralizedResult:
        """The scores over everything that was added."""
        targets, no_targets = (int(count) for count in self._outcomes.sum(axis=1))
        return GeneralizedResult(
            ciou=share(self._intersection, self._union),
            giou=self._ious.mean,
            n_accuracy=share(int(self._outcomes[1, 1]), no_targets),
            t_accuracy=share(int(self._outcomes[0, 0]), targets),
            precision={at: share(count, targets) for at, count in self._reached.items()},
            n=self._ious.count,
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
