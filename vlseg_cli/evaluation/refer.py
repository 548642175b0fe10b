"""Referring and reasoning segmentation: cIoU, gIoU and precision over many masks.

Sums are int64, where the published evaluators add float32 and round beyond 2^24 pixels.
"""

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema import InputError


class ReferMeter:
    """Intersection and union of every answered mask, kept as whole pixel counts.

    The per-sample IoU is I / (U + 1e-5), and 1 where truth and prediction are both empty.
    """

    def __init__(self) -> None:
        self._intersections: list[int] = []
        self._unions: list[int] = []

    def add(
        self,
        prediction: NDArray[np.bool_],
        truth: NDArray[np.bool_],
        ignore: NDArray[np.bool_] | None = None,
    ) -> float:
        """Count one (H, W) bool prediction against its (H, W) truth; returns its IoU in [0, 1].

        ignore: (H, W) bool, pixels that count neither way. Raises InputError if the sizes differ.
        """
        if prediction.shape != truth.shape:
            raise InputError(
                f"A predicted mask is {prediction.shape}, its truth {truth.shape}: "
                "resize the prediction to the picture's own grid first."
            )
        both, either = prediction & truth, prediction | truth
        if ignore is not None:
            both, either = both & ~ignore, either & ~ignore
        self._intersections.append(int(np.count_nonzero(both)))
        self._unions.append(int(np.count_nonzero(either)))
        return _iou(self._intersections[-1], self._unions[-1])

    def merge(self, other: "ReferMeter") -> None:
        """Take over all samples of another meter."""
        self._intersections += other._intersections
        self._unions += other._unions

    def __len__(self) -> int:
        return len(self._unions)

    @property
    def ciou(self) -> float | None:
        """Cumulative IoU in [0, 1]: all intersections over all unions; None if nothing came."""
        if not self._unions:
            return None
        return sum(self._intersections) / (sum(self._unions) + 1e-10)

    @property
    def giou(self) -> float | None:
        """Mean of the per-sample IoU in [0, 1]; None if nothing came."""
        if not self._unions:
            return None
        pairs = zip(self._intersections, self._unions, strict=True)
        return float(np.mean([_iou(both, either) for both, either in pairs]))

    def precision(self, at: float) -> float | None:
        """Share of samples whose exact I / U reaches ``at`` in [0, 1]; None if nothing came."""
        if not self._unions:
            return None
        pairs = zip(self._intersections, self._unions, strict=True)
        return float(np.mean([both >= at * either for both, either in pairs]))


def _iou(intersection: int, union: int) -> float:
    return intersection / (union + 1e-5) if union else 1.0
