"""Semantic segmentation: mIoU, fwIoU and accuracies as detectron2's SemSegEvaluator counts them.

Its boundary IoU is not Boundary IoU as published (Cheng et al. 2021): the erosion runs over class
numbers instead of over one mask per class, so a pixel's value becomes its class less the lowest
class nearby.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema import InputError

_WIDTH = 0.02  # of the image's diagonal


def class_boundary(classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Class numbers (H, W), at least 0, less the lowest within the boundary's width.

    Outside the image the class is 0, so values along the edge do not change.
    """
    from scipy.ndimage import minimum_filter

    height, width = classes.shape
    reach = max(1, round(_WIDTH * math.sqrt(height**2 + width**2)))
    lowest: NDArray[np.int64] = minimum_filter(classes, 2 * reach + 1, mode="constant", cval=0)
    return classes - lowest


@dataclass(frozen=True, slots=True, eq=False)
class SemanticResult:
    """Scores in [0, 1]; the means are None if no class truly occurs.

    miou, mean_accuracy: over the classes that truly occur. frequency_weighted_iou: IoU weighted by
    true pixels. pixel_accuracy: share of the true pixels that were found. iou, accuracy: (C,), NaN
    for a class without true pixels. boundary_iou: (C,), NaN where nothing was counted, or None
    without ``boundaries``. confusion: (C + 1, C + 1), rows = prediction, columns = truth.
    """

    miou: float | None
    frequency_weighted_iou: float | None
    mean_accuracy: float | None
    pixel_accuracy: float | None
    iou: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    boundary_iou: NDArray[np.float64] | None
    confusion: NDArray[np.int64]


class SemanticIoU:
    """Confusion of C classes; whatever is no class index (void, no prediction) is the last one.

    unanswered_is_wrong: pixels without a predicted class count against their true class;
    detectron2 never has any and would drop them. boundaries: gather detectron2's boundary IoU too,
    which it does itself below 255 classes.
    """

    def __init__(
        self, classes: int, *, unpredicted_is_wrong: bool = False, boundaries: bool = False
    ) -> None:
        self._classes = classes
        self._unanswered_is_wrong = unpredicted_is_wrong
        self._boundaries = boundaries
        self._confusion = np.zeros((classes + 1, classes + 1), np.int64)
        self._boundary_confusion = np.zeros_like(self._confusion)

    def add(self, prediction: NDArray[np.integer], truth: NDArray[np.integer]) -> None:
        """Count one image: (H, W) class indices; values outside 0..C-1 mean "no class".

        Where the truth has none the pixel counts nowhere. Raises InputError if the sizes differ.
        """
        if prediction.shape != truth.shape:
            raise InputError(
                f"A predicted class map is {prediction.shape}, its truth {truth.shape}: "
                "both must have the image's own size."
            )
        found, goal = self._index(prediction), self._index(truth)
        self._confusion += self._count(found, goal)
        if self._boundaries:
            self._boundary_confusion += self._count(class_boundary(found), class_boundary(goal))

    def merge(self, other: "SemanticIoU") -> None:
        """Take over all pixels of another meter of the same classes."""
        self._confusion += other._confusion
        self._boundary_confusion += other._boundary_confusion

    def result(self) -> SemanticResult:
        """The scores over everything that was added."""
        hits = np.diagonal(self._confusion)[:-1]
        rows = slice(None) if self._unanswered_is_wrong else slice(-1)
        true = self._confusion[rows, :-1].sum(axis=0)
        predicted = self._confusion[:-1, :-1].sum(axis=1)
        occurs = true > 0
        iou = _share(hits, true + predicted - hits, occurs)
        accuracy = _share(hits, true, occurs)
        pixels = int(true.sum())
        return SemanticResult(
            miou=float(iou[occurs].mean()) if pixels else None,
            frequency_weighted_iou=float((iou * true)[occurs].sum() / pixels) if pixels else None,
            mean_accuracy=float(accuracy[occurs].mean()) if pixels else None,
            pixel_accuracy=int(hits.sum()) / pixels if pixels else None,
            iou=iou,
            accuracy=accuracy,
            boundary_iou=self._boundary_iou() if self._boundaries else None,
            confusion=self._confusion.copy(),
        )

    def _boundary_iou(self) -> NDArray[np.float64]:
        inner = self._boundary_confusion[:-1, :-1]
        hits = np.diagonal(inner)
        union = inner.sum(axis=0) + inner.sum(axis=1) - hits
        return _share(hits, union, union > 0)

    def _index(self, classes: NDArray[np.integer]) -> NDArray[np.int64]:
        """Row or column numbers (H, W)."""
        wide = classes.astype(np.int64)
        return np.where((wide < 0) | (wide >= self._classes), self._classes, wide)

    def _count(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
        """How often each pair occurs, (C + 1, C + 1)."""
        side = self._classes + 1
        pairs = (rows * side + columns).ravel()
        return np.bincount(pairs, minlength=side * side).reshape(side, side)


def _share(
    part: NDArray[np.int64], whole: NDArray[np.int64], where: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Part over whole (C,), NaN outside ``where``."""
    share = np.full(len(part), np.nan)
    np.divide(part, whole, out=share, where=where)
    return share
