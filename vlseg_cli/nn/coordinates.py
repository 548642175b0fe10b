"""Where a pixel is, written into its features, so that a query can say 'left' and mean it.

Not in any of the papers: their backbones learn place from the padding over months of GPU time. A
miniature trained in hours needs it said; official configurations leave it off.
"""

import torch
from torch import Tensor, nn

_FREQUENCIES = (1, 2, 4, 8)


def coordinates(h: int, w: int, device: torch.device) -> Tensor:
    """y, x in [-1, 1] at cell centres with their sines and cosines: (2 + 4·F, h, w)."""
    y = (torch.arange(h, device=device) + 0.5) / h * 2 - 1
    x = (torch.arange(w, device=device) + 0.5) / w * 2 - 1
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij"))
    waves = [f(grid * torch.pi * n / 2) for n in _FREQUENCIES for f in (torch.sin, torch.cos)]
    return torch.cat([grid, *waves])


class CoordinateEmbedding(nn.Module):
    """Adds a learned linear function of the coordinates to a feature map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(2 + 4 * len(_FREQUENCIES), channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(B, D, h, w) -> the same shape."""
        h, w = features.shape[-2:]
        where = coordinates(h, w, features.device).to(self.project.weight.dtype)
        placed: Tensor = features + self.project(where.unsqueeze(0))
        return placed
