"""Losses of the Mask2Former family, and the points of a mask over which they are taken.

Points keep full-size training affordable (Mask2Former, section 3.3; PSALM section 8). A miniature's
stride-4 map is so small that every cell against the area-averaged truth is cheaper and better.
Source: ``psalm/model/mask_decoder/Mask2Former_Simplify/modeling/losses``.
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

RandomPoints = Callable[[tuple[int, ...]], Tensor]


class MaskSampling(Protocol):
    """How predicted and true masks become comparable rows of S values."""

    def prepare(self, truth: Tensor) -> Tensor:
        """(M, H, W) true masks -> the form that the other methods take; once per batch."""
        ...

    def for_matching(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """logits (N, h, w), truth of one image (M, …) -> (N, S) logits, (M, S) truth in [0, 1]."""
        ...

    def for_loss(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """logits (M, h, w) and their matched truth (M, …) -> (M, S) logits, (M, S) truth."""
        ...


def sample_points(maps: Tensor, points: Tensor) -> Tensor:
    """maps (M, h, w), points (M, S, 2) as x, y in [0, 1] -> bilinear samples (M, S)."""
    grid = (2 * points - 1).unsqueeze(1)
    return F.grid_sample(maps.unsqueeze(1), grid, align_corners=False)[:, 0, 0]


class PointSampling:
    """Uniform points for matching; for losses, three quarters are the most uncertain of a draw."""

    def __init__(
        self,
        points: int = 12544,
        oversample: float = 3.0,
        important: float = 0.75,
        draw: RandomPoints = torch.rand,
    ) -> None:
        self.points, self.draw = points, draw
        self.candidates = int(points * oversample)
        self.uncertain = int(points * important)

    def prepare(self, truth: Tensor) -> Tensor:
        """Truth stays at full resolution and is sampled bilinearly."""
        return truth.float()

    def for_matching(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """The same points for all masks of the image."""
        points = self.draw((1, self.points, 2)).to(logits.device)
        return (
            sample_points(logits, points.expand(len(logits), -1, -1)),
            sample_points(truth, points.expand(len(truth), -1, -1)),
        )

    def for_loss(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """Points of each mask's own, most of them where its logit is nearest to 0."""
        count = len(logits)
        with torch.no_grad():
            candidates = self.draw((count, self.candidates, 2)).to(logits.device)
            uncertainty = -sample_points(logits, candidates).abs()
            chosen = uncertainty.topk(self.uncertain, dim=1).indices
            points = candidates.gather(1, chosen.unsqueeze(-1).expand(-1, -1, 2))
            extra = self.draw((count, self.points - self.uncertain, 2)).to(logits.device)
            points = torch.cat([points, extra], 1)
            true_values = sample_points(truth, points)
        return sample_points(logits, points), true_values


class DenseSampling:
    """Every cell of the mask map; truth is the fraction of the cell that the object covers."""

    def __init__(self, stride: int = 4) -> None:
        self.stride = stride

    def prepare(self, truth: Tensor) -> Tensor:
        """(M, H, W) -> (M, H/stride, W/stride) in [0, 1]."""
        return F.avg_pool2d(truth.float().unsqueeze(1), self.stride).squeeze(1)

    def for_matching(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """All cells of the logits' grid, which may be coarser than the truth's."""
        return logits.flatten(1), pool_to(truth, logits.shape[-2:]).flatten(1)

    for_loss = for_matching


def pool_to(masks: Tensor, size: torch.Size) -> Tensor:
    """(M, H, W) in [0, 1] -> (M, h, w) by the mean of each cell."""
    if masks.shape[-2:] == size:
        return masks
    return F.adaptive_avg_pool2d(masks[None], (size[0], size[1]))[0]


class PreparedMasks:
    """A sampling of truth that the collator has already prepared."""

    def __init__(self, sampling: MaskSampling) -> None:
        self.for_matching, self.for_loss = sampling.for_matching, sampling.for_loss

    def prepare(self, truth: Tensor) -> Tensor:
        """The truth unchanged."""
        return truth


def mask_bce(logits: Tensor, truth: Tensor, count: float) -> Tensor:
    """Cross entropy of (M, S) each: mean over points, sum over masks, divided by ``count``."""
    each = F.binary_cross_entropy_with_logits(logits.float(), truth, reduction="none")
    return each.mean(1).sum() / count


def dice_loss(logits: Tensor, truth: Tensor, count: float) -> Tensor:
    """1 - (2·overlap + 1)/(sizes + 1) of (M, S) each: sum over masks, divided by ``count``."""
    probability = logits.float().sigmoid()
    overlap = (probability * truth).sum(1)
    sizes = probability.sum(1) + truth.sum(1)
    return (1 - (2 * overlap + 1) / (sizes + 1)).sum() / count


def category_loss(
    logits: Tensor, labels: Tensor, no_object: Tensor, no_object_weight: float = 0.1
) -> Tensor:
    """logits (P, N, K), labels (P, N), no_object (P,): index of each prompt's no-object class.

    Mean cross entropy, weighted ``no_object_weight`` where the label is no-object, else 1.
    """
    each = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), reduction="none")
    weight = torch.where(labels == no_object.unsqueeze(1), no_object_weight, 1.0).flatten()
    return (each * weight).sum() / weight.sum()


def balanced_bce(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy of any equal shapes; the positives together weigh as much as the negatives."""
    positives = truth.sum().clamp(min=1)
    weight = (truth.numel() - positives) / positives
    return F.binary_cross_entropy_with_logits(logits.float(), truth, pos_weight=weight)


def next_token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """logits (B, L, V), labels (B, L) with -100 where there is no target: mean cross entropy of
    each label given the position before it."""
    return F.cross_entropy(
        logits[:, :-1].float().flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100
    )
