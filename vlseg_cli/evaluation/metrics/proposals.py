"""Which of several scored masks is the answer: the choices of systems that decode many queries."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def best_proposal(masks: Sequence[NDArray[np.bool_]], scores: Sequence[float]) -> NDArray[np.bool_]:
    """The (H, W) mask of the highest score, the first of equals.

    PSALM, HyperSeg and MVP-LM answer a sentence, and a region, with it.
    """
    return masks[int(np.argmax(scores))]


def union_above(
    masks: Sequence[NDArray[np.bool_]], scores: Sequence[float], threshold: float
) -> NDArray[np.bool_]:
    """Everything that scores above ``threshold``, (H, W); the best mask alone if nothing does.

    PSALM's answer to a generalized expression, at 0.6: it may mean several things, but never none.
    """
    chosen = [mask for mask, score in zip(masks, scores, strict=True) if score > threshold]
    return np.any(chosen, axis=0) if chosen else best_proposal(masks, scores)
