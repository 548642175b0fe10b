"""How well proposals were scored: their similarity against IoU, their predicted IoP against IoP.

Source: LLM-Seg ``model/loss.py``; HRSeg equations 14 and 15. All take rows of K proposals, of which
``present`` are real; a picture without proposals teaches nothing.
"""

from typing import Literal

import torch
from torch import Tensor

from vlseg_cli.models.hrseg.modeling import HRSegMaskOutput

TEMPERATURE = 0.05
Weighting = Literal["weighted", "plain"]


def align_loss(similarity: Tensor, iou: Tensor, present: Tensor) -> Tensor:
    """(P, K) in [-1, 1], (P, K) in [0, 1], (P, K) bool -> (P,): KL(softmax IoU || softmax sim)."""
    hidden = torch.finfo(similarity.dtype).min
    wanted = (iou / TEMPERATURE).masked_fill(~present, hidden).log_softmax(-1)
    given = (similarity / TEMPERATURE).masked_fill(~present, hidden).log_softmax(-1)
    return (wanted.exp() * (wanted - given)).masked_fill(~present, 0).sum(-1)


def iop_loss(
    predicted: Tensor, truth: Tensor, present: Tensor, weighting: Weighting = "weighted"
) -> Tensor:
    """(P, K) in [0, 1] each, (P, K) bool -> (P,): mean squared error.

    'weighted' counts it 50 · exp(IoP - 1) times, as LLM-Seg does; 'plain' is HRSeg's equation.
    """
    error = (predicted - truth) ** 2
    if weighting == "weighted":
        error = 50 * error * torch.exp(truth - 1)
    return error.masked_fill(~present, 0).sum(-1) / present.sum(-1).clamp(min=1)


PerText = dict[str, Tensor]


def losses_per_text(
    answered: HRSegMaskOutput, iou: Tensor, iop: Tensor, weighting: Weighting
) -> PerText:
    """iou, iop (P, K): the truth, anything where no proposal is. Each loss (P,)."""
    return {
        "align": align_loss(answered.similarity, iou, answered.present),
        "iop": iop_loss(answered.iop, iop, answered.present, weighting),
    }


def picture_mean(values: Tensor, pictures: Tensor) -> Tensor:
    """(P,) and the picture (P,) of each: mean over the texts of a picture, then over pictures."""
    _, place, texts = torch.unique(pictures, return_inverse=True, return_counts=True)
    mean: Tensor = (values / texts[place]).sum() / len(texts)
    return mean
