"""Boundary IoU (Cheng et al., CVPR 2021): the IoU of the pixels near two masks' edges.

Plain IoU hardly notices a ragged outline of a large object; this measure is about nothing else.
Source: ``boundary_iou/utils/boundary_utils.py``.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from vlseg_cli.evaluation.metrics.exact import ExactSum

DILATION = 0.02  # distance from the edge, fraction of the image's diagonal
_SQUARE = np.ones((3, 3), bool)


def boundary(mask: NDArray[np.bool_], dilation: float = DILATION) -> NDArray[np.bool_]:
    """The pixels (H, W) of a mask within the distance of its edge; the image's border is one."""
    steps = max(1, round(dilation * float(np.hypot(*mask.shape))))
    inner: NDArray[np.bool_] = binary_erosion(mask, _SQUARE, iterations=steps)
    return mask & ~inner


def boundary_iou(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """In [0, 1]; 1 for two empty masks."""
    one, other = boundary(first), boundary(second)
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 1.0


class MeanBoundaryIoU:
    """Boundary IoU of one mask per sample, and its mean."""

    def __init__(self) -> None:
        self._ious = ExactSum()

    def add(self, predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
        """Count one sample of equal sizes (H, W)."""
        value = boundary_iou(predicted, truth)
        self._ious.add(value)
        return value

    def result(self) -> float | None:
        """The mean, None without samples."""
        return self._ious.mean
