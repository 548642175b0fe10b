"""High-resolution perception: each token of the overview looks at the N × N tokens beneath it.

Source: HRSeg section 3.2, equation 8. One head, no bias, no output projection.
"""

import torch
from torch import Tensor, nn

from vlseg_cli.nn.windows import regions_of


class RegionAttention(nn.Module):
    """Query from the overview, keys and values from the windows; width D throughout."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Linear(channels, channels, bias=False)
        self.key = nn.Linear(channels, channels, bias=False)
        self.value = nn.Linear(channels, channels, bias=False)
        for linear in (self.query, self.key, self.value):
            nn.init.xavier_uniform_(linear.weight)

    def forward(self, overview: Tensor, detail: Tensor) -> Tensor:
        """(B, h, w, D), (B, N·h, N·w, D) -> the detail per overview token, (B, h, w, D)."""
        regions = regions_of(detail, detail.shape[1] // overview.shape[1])
        weights = self.weights(overview, regions)
        attended: Tensor = weights.unsqueeze(2) @ self.value(regions)
        return attended.view(overview.shape)

    def weights(self, overview: Tensor, regions: Tensor) -> Tensor:
        """(B, h, w, D), (B, h·w, N², D) -> (B, h·w, N²): shares that sum to 1."""
        query = self.query(overview.flatten(1, 2)).unsqueeze(2)
        scores = (query * self.key(regions)).sum(-1) / overview.shape[-1] ** 0.5
        return torch.softmax(scores, -1)
