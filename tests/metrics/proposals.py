"""How PSALM picks its prediction among scored masks, of which the goldens hold both."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Masks = Sequence[NDArray[np.bool_]]  # (H, W)


def best_proposal(masks: Masks, scores: Sequence[float]) -> NDArray[np.bool_]:
    """The mask of the highest score, the first of equals."""
    return masks[int(np.argmax(scores))]


def union_above(masks: Masks, scores: Sequence[float], threshold: float) -> NDArray[np.bool_]:
    """Everything that scores above ``threshold``; the best mask alone if nothing does."""
    chosen = [mask for mask, score in zip(masks, scores, strict=True) if score > threshold]
    return np.any(chosen, axis=0) if chosen else best_proposal(masks, scores)
