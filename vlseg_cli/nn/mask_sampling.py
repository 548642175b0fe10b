"""Where masks are compared: at random and uncertain points, as the papers do, or in every cell.

Points keep full-size training affordable (Mask2Former, section 3.3 of its paper; PSALM section 8);
a miniature's stride-4 map is so small that every cell against the area-averaged truth is both
cheaper and better.
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
