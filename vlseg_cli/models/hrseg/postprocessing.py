"""Masks on another grid, no value between two: the two ways in which torch picks the nearest pixel.

LLM-Seg measures proposals against truth with one and enlarges its answers with the other; which
was used shows in single pixels.
"""

from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.hrseg.selection import Selection, select
from vlseg_cli.schema import (
    Expression,
    Frame,
    Prediction,
    PromptRequest,
    Question,
    Segment,
    segment_from_mask,
)

T = TypeVar("T", bound=np.generic)


def nearest(masks: NDArray[T], height: int, width: int, centered: bool = False) -> NDArray[T]:
    """(N, H, W) -> (N, height, width).

    centered: the pixel under each new pixel's center ('nearest-exact'), else under its top left
    corner ('nearest').
    """
    rows, columns = (
        _places(masks.shape[1], height, centered),
        _places(masks.shape[2], width, centered),
    )
    picked: NDArray[Any] = masks[:, rows[:, None], columns]
    return picked


def _places(old: int, new: int, centered: bool) -> NDArray[np.int64]:
    step = np.float32(old) / np.float32(new)
    at = (np.arange(new, dtype=np.float32) + np.float32(0.5 if centered else 0)) * step
    return np.minimum(at.astype(np.int64), old - 1)


class ProposalScores(NamedTuple):
    """Of the K proposals of a picture for one prompt: similarity in [-1, 1], iop in [0, 1]."""

    similarity: Tensor
    iop: Tensor


def describe(
    ask: PromptRequest,
    frame: Frame,
    proposals: NDArray[np.bool_],
    scores: ProposalScores,
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
    scores: ProposalScores,
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
