"""The losses of the Mask2Former family, each over rows that ``mask_sampling`` made comparable.

Source: PSALM section 8 (``psalm/model/mask_decoder/Mask2Former_Simplify/modeling/losses``).
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def mask_bce(logits: Tensor, truth: Tensor, count: float) -> Tensor:
    """(M, P) each; mean over points, summed over masks, divided by ``count`` masks."""
    each = F.binary_cross_entropy_with_logits(logits.float(), truth, reduction="none")
    return each.mean(1).sum() / count


def dice(logits: Tensor, truth: Tensor, count: float) -> Tensor:
    """(M, P) each; 1 - (2·overlap + 1)/(sizes + 1), summed over masks, divided by ``count``."""
    probability = logits.float().sigmoid()
    overlap = (probability * truth).sum(1)
    sizes = probability.sum(1) + truth.sum(1)
    return (1 - (2 * overlap + 1) / (sizes + 1)).sum() / count


def category_loss(logits: Tensor, labels: Tensor, void: Tensor, void_weight: float = 0.1) -> Tensor:
    """logits (B, N, K), labels (B, N), void (B,): each picture's class of 'nothing'.

    Mean cross entropy, weighted ``void_weight`` where the label is void and 1 elsewhere.
    """
    each = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), reduction="none")
    weight = torch.where(labels == void.unsqueeze(1), void_weight, 1.0).flatten()
    return (each * weight).sum() / weight.sum()


def balanced_bce(logits: Tensor, truth: Tensor) -> Tensor:
    """Any equal shapes; positives weigh as much together as all the negatives do."""
    positives = truth.sum().clamp(min=1)
    weight = (truth.numel() - positives) / positives
    return F.binary_cross_entropy_with_logits(logits.float(), truth, pos_weight=weight)


def next_token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """logits (B, L, V), labels (B, L), -100 where nothing is to be said: mean cross entropy of each
    label given the position before it."""
    return F.cross_entropy(
        logits[:, :-1].float().flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100
    )
