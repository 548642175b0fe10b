"""Region similarity J and contour accuracy F of one frame, the measures of all video benchmarks.

Perazzi et al. 2016 as ``davis2017-evaluation`` computes them (``davis2017/metrics.py``). There a
contour pixel counts as found if the other contour, dilated by a disk, covers it; a search tree over
contour pixels gives the same counts from the contours alone.
"""

import math
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema import InputError

Array = NDArray[Any]  # (H, W)
Pair = tuple[Array, Array]

TOLERANCE = 0.008  # of the image's diagonal, rounded up to whole pixels


def region_similarity(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None = None
) -> float:
    """J: IoU in [0, 1] of two (H, W) masks outside ``void``; 1 if both are empty there."""
    both, either = prediction & truth, prediction | truth
    if void is not None:
        both, either = both & ~void, either & ~void
    union = np.count_nonzero(either)
    return float(np.count_nonzero(both) / union) if union else 1.0


def contour_accuracy(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None = None
) -> float:
    """F in [0, 1] of two (H, W) masks; ``void`` counts as background of both."""
    if void is not None:
        prediction, truth = prediction & ~void, truth & ~void
    return contour_match(contour(prediction), contour(truth), contour_reach(*truth.shape))


def contour_reach(height: int, width: int) -> int:
    """How far apart matching contour pixels may lie, px."""
    return math.ceil(TOLERANCE * float(np.linalg.norm((height, width))))


def contour(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Pixels (K, 2) of a (H, W) mask that differ from the one right, below, or right below.

    Along the last row only the right neighbor counts, along the last column only the one below.
    """
    edge = np.zeros(mask.shape, bool)
    here = mask[:-1, :-1]
    edge[:-1, :-1] = (here ^ mask[:-1, 1:]) | (here ^ mask[1:, :-1]) | (here ^ mask[1:, 1:])
    edge[-1, :-1] = mask[-1, :-1] ^ mask[-1, 1:]
    edge[:-1, -1] = mask[:-1, -1] ^ mask[1:, -1]
    return np.argwhere(edge)


def contour_match(predicted: NDArray[np.int64], true: NDArray[np.int64], reach: int) -> float:
    """F in [0, 1] of two sets of contour pixels (K, 2), matched up to ``reach`` px apart.

    1 if both are empty, 0 if one is.
    """
    if not len(predicted) or not len(true):
        return float(len(predicted) == len(true))
    precision = _near(predicted, true, reach) / len(predicted)
    recall = _near(true, predicted, reach) / len(true)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _near(pixels: NDArray[np.int64], others: NDArray[np.int64], reach: int) -> int:
    """How many pixels (K, 2) lie within ``reach`` px of any of the others."""
    from scipy.spatial import cKDTree

    # Squared distances are whole numbers: half a unit keeps ``reach`` itself inside the bound.
    bound = math.sqrt(reach**2 + 0.5)
    distance, _ = cKDTree(others).query(pixels, distance_upper_bound=bound)
    return int(np.count_nonzero(np.isfinite(distance)))


class FrameMeans:
    """Mean J and mean F of one mask over the frames of a video; two numbers a frame are kept."""

    def __init__(self) -> None:
        self._j: list[float] = []
        self._f: list[float] = []

    def add(self, prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> None:
        """Count one frame's (H, W) masks."""
        self._j.append(region_similarity(prediction, truth))
        self._f.append(contour_accuracy(prediction, truth))

    @property
    def means(self) -> tuple[float, float]:
        """Mean J and mean F; there must have been a frame."""
        return float(np.mean(self._j)), float(np.mean(self._f))


def same_frames(truth: Iterable[Array], prediction: Iterable[Array]) -> Iterator[Pair]:
    """Frames of both, pair by pair, so that a video need not be in memory at once.

    Raises InputError if one has more frames, or a frame another size.
    """
    for number, (goal, guess) in enumerate(zip_longest(truth, prediction)):
        if goal is None or guess is None or goal.shape != guess.shape:
            size, other = ("none" if one is None else one.shape for one in (guess, goal))
            raise InputError(
                f"Frame {number} of the prediction is {size}, of the truth {other}: both must have"
                " the same frames at the video's own size."
            )
        yield goal, guess
