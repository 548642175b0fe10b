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
    """How predicted and true masks become comparable rows of P values."""

    def prepare(self, truth: Tensor) -> Tensor:
        """(M, H, W) true masks -> the form the other two methods take, made once per batch."""
        ...

    def for_matching(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """logits (N, h, w), truth of one image (M, …) -> (N, P) logits, (M, P) truth in [0, 1]."""
        ...

    def for_loss(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """logits (M, h, w) and their own truth (M, …) -> (M, P) logits, (M, P) truth."""
        ...


def sample_points(maps: Tensor, points: Tensor) -> Tensor:
    """maps (M, h, w), points (M, P, 2) as x, y in [0, 1] -> bilinear samples (M, P)."""
    grid = (2 * points - 1).unsqueeze(1)
    return F.grid_sample(maps.unsqueeze(1), grid, align_corners=False)[:, 0, 0]


class PointSampling:
    """Uniform points to match, three quarters most uncertain points to learn from."""

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
        """Truth stays at full resolution: points fall between its pixels."""
        return truth.float()

    def for_matching(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """The same points for every mask of the image."""
        points = self.draw((1, self.points, 2)).to(logits.device)
        return (
            sample_points(logits, points.expand(len(logits), -1, -1)),
            sample_points(truth, points.expand(len(truth), -1, -1)),
        )

    def for_loss(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """Each mask its own points, most of them where its sign is least sure."""
        count = len(logits)
        with torch.no_grad():
            candidates = self.draw((count, self.candidates, 2)).to(logits.device)
            doubt = -sample_points(logits, candidates).abs()
            chosen = doubt.topk(self.uncertain, dim=1).indices
            points = candidates.gather(1, chosen.unsqueeze(-1).expand(-1, -1, 2))
            extra = self.draw((count, self.points - self.uncertain, 2)).to(logits.device)
            points = torch.cat([points, extra], 1)
            true_values = sample_points(truth, points)
        return sample_points(logits, points), true_values


class DenseSampling:
    """Every cell of the mask map; truth is the share of the cell that the object covers."""

    def __init__(self, stride: int = 4) -> None:
        self.stride = stride

    def prepare(self, truth: Tensor) -> Tensor:
        """(M, H, W) -> (M, H/stride, W/stride) in [0, 1]."""
        return F.avg_pool2d(truth.float().unsqueeze(1), self.stride).squeeze(1)

    def for_matching(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """All cells."""
        return logits.flatten(1), truth.flatten(1)

    def for_loss(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """All cells."""
        return logits.flatten(1), truth.flatten(1)


class PreparedMasks:
    """A sampling for truth that the collator has prepared already."""

    def __init__(self, sampling: MaskSampling) -> None:
        self.for_matching, self.for_loss = sampling.for_matching, sampling.for_loss

    def prepare(self, truth: Tensor) -> Tensor:
        """As it is."""
        return truth


def mask_bce(logits: Tensor, truth: Tensor, count: float) -> Tensor:
    """(M, P) each; mean over points, summed over masks, divided by ``count`` masks."""
    each = F.binary_cross_entropy_with_logits(logits.float(), truth, reduction="none")
    return each.mean(1).sum() / count


def dice_loss(logits: Tensor, truth: Tensor, count: float) -> Tensor:
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
