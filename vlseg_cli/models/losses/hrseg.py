"""What HRSeg learns from: how it scored the proposals, and whether it says <SEG> where it should.

Source: LLM-Seg ``model/LISA.py``; HRSeg equations 13 to 16. Each text counts within its picture,
each picture as much as any other.
"""

import torch
from torch import Tensor

from vlseg_cli.models.hrseg import Answered
from vlseg_cli.nn.selection_losses import Weighting, align_loss, iop_loss

PerText = dict[str, Tensor]


def losses_per_text(answered: Answered, iou: Tensor, iop: Tensor, weighting: Weighting) -> PerText:
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
