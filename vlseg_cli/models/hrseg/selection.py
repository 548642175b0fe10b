"""From two scores per proposal to the proposals that are the answer: every rule by its name.

Source: HRSeg Tables 7 and 8; LLM-Seg ``training.py`` (its ``validate*`` functions).
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

Rule = Literal[
    "top1_similarity",  # LLM-Seg's validate
    "top1_iop",
    "iop",  # LLM-Seg's validate_threshold
    "topk_similarity",
    "topk_and_iop",  # HRSeg's own; LLM-Seg's validate_threshold_from_topIoU with K = 5
    "top1_or_iop",  # LLM-Seg's validate_iou_iop
]
Empty = Literal["top1_similarity", "nothing"]  # what is chosen where a rule chooses none


class Selection(NamedTuple):
    """A rule and its numbers: K of 'topk', the IoP that must be exceeded, what if none does."""

    rule: Rule
    top: int
    iop: float
    empty: Empty


def select(similarity: Tensor, iop: Tensor, selection: Selection) -> Tensor:
    """Scores (K,) of the proposals of one picture -> (K,) bool, the chosen ones."""
    best = _top(similarity, 1)
    match selection.rule:
        case "top1_similarity":
            chosen = best
        case "top1_iop":
            chosen = _top(iop, 1)
        case "iop":
            chosen = iop > selection.iop
        case "topk_similarity":
            chosen = _top(similarity, selection.top)
        case "topk_and_iop":
            chosen = _top(similarity, selection.top) & (iop > selection.iop)
        case "top1_or_iop":
            chosen = best | (iop > selection.iop)
    if selection.empty == "top1_similarity" and not chosen.any():
        return best
    return chosen


def _top(scores: Tensor, count: int) -> Tensor:
    """(K,) bool: the ``count`` highest, the first of equals."""
    chosen = torch.zeros_like(scores, dtype=torch.bool)
    chosen[scores.argsort(descending=True, stable=True)[:count]] = True
    return chosen
