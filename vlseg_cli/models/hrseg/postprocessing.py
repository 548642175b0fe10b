"""Two scores per proposal become a prediction: the selection rules, then the union of the selected.

Source: HRSeg tables 7 and 8; LLM-Seg ``training.py`` (its ``validate*`` functions).
"""

from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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

Rule = Literal[
    "top1_similarity",  # LLM-Seg's validate
    "top1_iop",
    "iop",  # LLM-Seg's validate_threshold
    "topk_similarity",
    "topk_and_iop",  # HRSeg's own; LLM-Seg's validate_threshold_from_topIoU with K = 5
    "top1_or_iop",  # LLM-Seg's validate_iou_iop
]
Empty = Literal["top1_similarity", "nothing"]  # the result where a rule selects no proposal


class Selection(NamedTuple):
    """A rule and its numbers: K of 'topk', the IoP to exceed, the result if none does."""

    rule: Rule
    top: int
    iop: float
    empty: Empty


class ProposalScores(NamedTuple):
    """Scores of the K proposals of an image for one prompt: similarity in [-1, 1], iop in [0, 1],
    (K,) each."""

    similarity: Tensor
    iop: Tensor


def select(similarity: Tensor, iop: Tensor, selection: Selection) -> Tensor:
    """Scores (K,) of the proposals of one image -> (K,) bool, the selected ones."""
    best = _top(similarity, 1)
    match selection.rule:
        case "top1_similarity":
            selected = best
        case "top1_iop":
            selected = _top(iop, 1)
        case "iop":
            selected = iop > selection.iop
        case "topk_similarity":
            selected = _top(similarity, selection.top)
        case "topk_and_iop":
            selected = _top(similarity, selection.top) & (iop > selection.iop)
        case "top1_or_iop":
            selected = best | (iop > selection.iop)
    if selection.empty == "top1_similarity" and not selected.any():
        return best
    return selected


def _top(scores: Tensor, count: int) -> Tensor:
    """(K,) bool: the ``count`` highest, the first of equals."""
    selected = torch.zeros_like(scores, dtype=torch.bool)
    selected[scores.argsort(descending=True, stable=True)[:count]] = True
    return selected


def build_prediction(
    request: PromptRequest,
    frame: Frame,
    proposals: NDArray[np.bool_],
    scores: ProposalScores,
    selection: Selection,
    seconds: dict[str, float],
) -> Prediction:
    """proposals (K, h, w) -> a prediction with at most one segment, on the frame's grid.

    The threshold of a request is the IoP that a proposal must exceed; a request for every matching
    object (``many``) may have an empty result.
    """
    assert isinstance(request.prompt, Expression | Question)
    if request.threshold is not None:
        selection = selection._replace(iop=request.threshold)
    if request.many:
        selection = selection._replace(empty="nothing")
    segments = _union(frame, proposals, scores, selection, request.prompt.text)
    return Prediction(
        frame.source,
        frame.index,
        frame.height,
        frame.width,
        request.task,
        request.prompt,
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
    """The segment's score is the mean IoP of its proposals: the expected fraction that is right."""
    if not len(proposals):
        return ()
    selected = select(scores.similarity, scores.iop, selection)
    if not selected.any():
        return ()
    union = proposals[selected.numpy()].any(0, keepdims=True)
    mask = resize_nearest(union, frame.height, frame.width)[0]
    if not mask.any():
        return ()
    return (segment_from_mask(mask, float(scores.iop[selected].mean()), label),)


def resize_nearest(
    masks: NDArray[T], height: int, width: int, centered: bool = False
) -> NDArray[T]:
    """(N, H, W) -> (N, height, width) by nearest neighbor, to the pixel as torch does it.

    centered: torch's 'nearest-exact', as LLM-Seg compares proposals with the ground truth; else
    'nearest', as it enlarges predictions.
    """
    rows, columns = (
        _nearest(masks.shape[1], height, centered),
        _nearest(masks.shape[2], width, centered),
    )
    picked: NDArray[Any] = masks[:, rows[:, None], columns]
    return picked


def _nearest(old: int, new: int, centered: bool) -> NDArray[np.int64]:
    step = np.float32(old) / np.float32(new)
    at = (np.arange(new, dtype=np.float32) + np.float32(0.5 if centered else 0)) * step
    return np.minimum(at.astype(np.int64), old - 1)
