"""Semantic segmentation scored from one confusion matrix, counted as detectron2 counts it.

A class that is only ever predicted is left out of the mean, though its pixels hurt the others.
"""

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema import InputError


class SemanticMeter:
    """Confusion of C classes; whatever is no class index (void, unanswered) is the last one.

    confusion: (C + 1, C + 1) int64, rows = prediction, columns = truth.
    """

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self.confusion = np.zeros((classes + 1, classes + 1), np.int64)

    def add(self, prediction: NDArray[np.integer], truth: NDArray[np.integer]) -> None:
        """Count one picture: (H, W) class indices; values outside 0..C-1 mean "no class".

        Where the truth has none the pixel counts nowhere; where only the prediction has none it is
        wrong. Raises InputError if the sizes differ.
        """
        if prediction.shape != truth.shape:
            raise InputError(
                f"A predicted class map is {prediction.shape}, its truth {truth.shape}: "
                "both must have the picture's own size."
            )
        rows, columns = self._index(prediction), self._index(truth)
        side = self.classes + 1
        counts = np.bincount(rows * side + columns, minlength=side * side)
        self.confusion += counts.reshape(side, side)

    def merge(self, other: "SemanticMeter") -> None:
        """Take over all pixels of another meter of the same classes."""
        self.confusion += other.confusion

    @property
    def iou(self) -> NDArray[np.float64]:
        """IoU of each class in [0, 1]: (C,), NaN for a class without true pixels."""
        return self._share(self._true + self._predicted - self._hits)

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Share of each class's true pixels that were found: (C,), NaN without true pixels."""
        return self._share(self._true)

    @property
    def miou(self) -> float | None:
        """Mean IoU over the classes that truly occur; None if none does."""
        return float(np.nanmean(self.iou)) if self._true.any() else None

    @property
    def mean_accuracy(self) -> float | None:
        """Mean class accuracy over the classes that truly occur; None if none does."""
        return float(np.nanmean(self.accuracy)) if self._true.any() else None

    @property
    def frequency_weighted_iou(self) -> float | None:
        """IoU weighted by each class's true pixels; None if no class occurs."""
        if not self._true.any():
            return None
        return float(np.nansum(self.iou * self._true) / self._true.sum())

    @property
    def pixel_accuracy(self) -> float | None:
        """Share of all true pixels that were found; None if no class occurs."""
        return float(self._hits.sum() / self._true.sum()) if self._true.any() else None

    @property
    def _hits(self) -> NDArray[np.int64]:
        return np.diagonal(self.confusion)[:-1]

    @property
    def _true(self) -> NDArray[np.int64]:
        # All rows: detectron2 has no unanswered pixels, ours must not vanish from the truth.
        counts: NDArray[np.int64] = self.confusion[:, :-1].sum(axis=0)
        return counts

    @property
    def _predicted(self) -> NDArray[np.int64]:
        counts: NDArray[np.int64] = self.confusion[:-1, :-1].sum(axis=1)
        return counts

    def _share(self, whole: NDArray[np.int64]) -> NDArray[np.float64]:
        """Hits over ``whole`` (C,), NaN where a class has no true pixels."""
        share = np.full(self.classes, np.nan)
        np.divide(self._hits, whole, out=share, where=self._true > 0)
        return share

    def _index(self, classes: NDArray[np.integer]) -> NDArray[np.int64]:
        """Flatten to (H·W,) row or column numbers."""
        flat = classes.ravel().astype(np.int64)
        return np.where((flat < 0) | (flat >= self.classes), self.classes, flat)
