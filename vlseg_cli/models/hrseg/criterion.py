"""HRSeg's losses: similarity against IoU, predicted IoP against IoP, and their targets.

Source: LLM-Seg ``model/loss.py``; HRSeg equations 14 and 15. Losses take rows of K proposals, of
which ``present`` exist; an image without proposals gives zero.
"""

from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.hrseg.modeling import HRSegMaskOutput
from vlseg_cli.models.hrseg.postprocessing import resize_nearest

TEMPERATURE = 0.05
Weighting = Literal["weighted", "plain"]


class ProposalTargets(NamedTuple):
    """IoU and IoP of each text's ground truth and each proposal, (R, K) float64 in [0, 1]."""

    iou: NDArray[np.float64]
    iop: NDArray[np.float64]


def proposal_targets(truth: NDArray[np.bool_], proposals: NDArray[np.bool_]) -> ProposalTargets:
    """truth (R, H, W), one mask per text; proposals (K, h, w), none of them empty."""
    height, width = proposals.shape[1:]
    resized = resize_nearest(truth, height, width, centered=True)
    target = resized.reshape(len(truth), height * width).astype(np.float64)
    proposed = proposals.reshape(len(proposals), height * width).astype(np.float64)
    intersection = target @ proposed.T
    areas = proposed.sum(1)
    union = target.sum(1)[:, None] + areas - intersection
    return ProposalTargets(intersection / union, intersection / areas)


def align_loss(similarity: Tensor, iou: Tensor, present: Tensor) -> Tensor:
    """(P, K) in [-1, 1], (P, K) in [0, 1], (P, K) bool -> (P,): KL(softmax IoU || softmax sim)."""
    lowest = torch.finfo(similarity.dtype).min
    target = (iou / TEMPERATURE).masked_fill(~present, lowest).log_softmax(-1)
    predicted = (similarity / TEMPERATURE).masked_fill(~present, lowest).log_softmax(-1)
    return (target.exp() * (target - predicted)).masked_fill(~present, 0).sum(-1)


def iop_loss(
    predicted: Tensor, truth: Tensor, present: Tensor, weighting: Weighting = "weighted"
) -> Tensor:
    """(P, K) in [0, 1] each, (P, K) bool -> (P,): mean squared error.

    'weighted' multiplies it by 50 · exp(IoP - 1), as LLM-Seg does; 'plain' is HRSeg's equation.
    """
    error = (predicted - truth) ** 2
    if weighting == "weighted":
        error = 50 * error * torch.exp(truth - 1)
    return error.masked_fill(~present, 0).sum(-1) / present.sum(-1).clamp(min=1)


def losses_per_text(
    mask_output: HRSegMaskOutput, iou: Tensor, iop: Tensor, weighting: Weighting
) -> dict[str, Tensor]:
    """iou, iop (P, K): the targets, any value where no proposal is. Each loss (P,)."""
    present = mask_output.present
    return {
        "align": align_loss(mask_output.similarity, iou, present),
        "iop": iop_loss(mask_output.iop, iop, present, weighting),
    }


def mean_per_image(values: Tensor, image_index: Tensor) -> Tensor:
    """(P,) and the image (P,) of each: mean over the texts of an image, then over images."""
    _, row, texts = torch.unique(image_index, return_inverse=True, return_counts=True)
    mean: Tensor = (values / texts[row]).sum() / len(texts)
    return mean
