"""Regions through a video: what was pointed at in one frame, found again in those after it.

Source: HyperSeg section 9.3, the protocol for DAVIS without its look at the truth: one answer per
region, no query answers twice, and no pixel belongs to two. With a memory, what a region looked
like when it was last seen clearly is what is looked for next.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vlseg_cli.models.answers.psalm import Part
from vlseg_cli.nn.segments import Canvas, referred_scores, to_original

_ENTANGLED = 0.4  # overlap of two answers, above which neither is remembered


class Found(NamedTuple):
    """Masks (R, H, W) bool without overlap, scores (R,) in [0, 1]; clear (R,) bool: worth being
    remembered."""

    masks: Tensor
    scores: Tensor
    clear: Tensor


def find_regions(parts: Sequence[Part], canvas: Canvas) -> Found:
    """The answers to regions asked together, one part for all, or apart, one part for each."""
    chosen: list[Tensor] = []
    scores: list[Tensor] = []
    for conditions, low in parts:
        masks = to_original(low, canvas)
        free = torch.ones(len(masks), device=low.device)
        for condition in conditions.T:
            each = referred_scores(condition, masks)
            best = int((each + free).argmax())  # taken queries only when no other is left
            free[best] = 0
            chosen.append(masks[best])
            scores.append(each[best])
    logits = torch.stack(chosen)
    alone = logits > 0
    owner = logits.argmax(0, keepdim=True)
    mine = owner == torch.arange(len(logits), device=logits.device).view(-1, 1, 1)
    found = torch.stack(scores)
    return Found(alone & mine, found, _untangled(alone) & (found > 0.5))


def _untangled(masks: Tensor) -> Tensor:
    """(R, H, W) bool -> (R,): not empty, and apart from every other mask."""
    flat = masks.flatten(1).float()
    overlap, area = flat @ flat.T, flat.sum(1)
    iou = overlap / (area.unsqueeze(0) + area.unsqueeze(1) - overlap).clamp(min=1)
    return (area > 0) & ~(iou.fill_diagonal_(0) > _ENTANGLED).any(1)
