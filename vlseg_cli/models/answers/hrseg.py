"""Two scores per proposal become a Prediction: the union of the chosen ones (HRSeg section 3.3)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.answers.nearest import nearest
from vlseg_cli.nn.mask_selection import Selection, select
from vlseg_cli.schema import (
    Ask,
    Expression,
    Frame,
    Prediction,
    Question,
    Segment,
    segment_from_mask,
)


class Scores(NamedTuple):
    """Of the K proposals of a picture for one prompt: similarity in [-1, 1], iop in [0, 1]."""

    similarity: Tensor
    iop: Tensor


def describe(
    ask: Ask,
    frame: Frame,
    proposals: NDArray[np.bool_],
    scores: Scores,
    selection: Selection,
    seconds: dict[str, float],
) -> Prediction:
    """proposals (K, h, w) -> at most one segment, on the frame's grid.

    The threshold of an ask is the IoP that a proposal must exceed; an ask for everything that fits
    may be answered with nothing.
    """
    assert isinstance(ask.prompt, Expression | Question)
    if ask.threshold is not None:
        selection = selection._replace(iop=ask.threshold)
    if ask.many:
        selection = selection._replace(empty="nothing")
    segments = _union(frame, proposals, scores, selection, ask.prompt.text)
    return Prediction(
        frame.source,
        frame.index,
        frame.height,
        frame.width,
        ask.task,
        ask.prompt,
        segments,
        seconds=seconds,
    )


def _union(
    frame: Frame,
    proposals: NDArray[np.bool_],
    scores: Scores,
    selection: Selection,
    label: str,
) -> tuple[Segment, ...]:
    """The segment's score is the mean IoP of what it is made of: how much of it should be right."""
    if not len(proposals):
        return ()
    chosen = select(scores.similarity, scores.iop, selection)
    if not chosen.any():
        return ()
    union = proposals[chosen.numpy()].any(0, keepdims=True)
    mask = nearest(union, frame.height, frame.width)[0]
    if not mask.any():
        return ()
    return (segment_from_mask(mask, float(scores.iop[chosen].mean()), label),)
