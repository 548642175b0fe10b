"""Masks on another grid, no value between two: the two ways in which torch picks the nearest pixel.

LLM-Seg measures proposals against truth with one and enlarges its answers with the other; which
was used shows in single pixels.
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


def nearest(masks: NDArray[T], height: int, width: int, centred: bool = False) -> NDArray[T]:
    """(N, H, W) -> (N, height, width).

    centred: the pixel under each new pixel's centre ('nearest-exact'), else that under its top left
    corner ('nearest').
    """
    rows, columns = (
        _places(masks.shape[1], height, centred),
        _places(masks.shape[2], width, centred),
    )
    picked: NDArray[Any] = masks[:, rows[:, None], columns]
    return picked


def _places(old: int, new: int, centred: bool) -> NDArray[np.int64]:
    step = np.float32(old) / np.float32(new)
    at = (np.arange(new, dtype=np.float32) + np.float32(0.5 if centred else 0)) * step
    return np.minimum(at.astype(np.int64), old - 1)
