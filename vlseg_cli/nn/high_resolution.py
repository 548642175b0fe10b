"""One large picture as N × N windows of an encoder's own size, and their tokens put together again.

Source: HRSeg section 3.2 (equations 3 and 7). The windows lie edge to edge and row by row, so one
token of the overview covers exactly the same pixels as N × N tokens of the windows.
"""

import torch
from torch import Tensor, nn


def cut_windows(image: Tensor, count: int) -> Tensor:
    """(C, N·H, N·W) -> (N², C, H, W), row by row; ``count`` is N."""
    channels, height, width = image.shape
    tiles = image.reshape(channels, count, height // count, count, width // count)
    return tiles.permute(1, 3, 0, 2, 4).flatten(0, 1)


def join_windows(tokens: Tensor) -> Tensor:
    """Tokens of each window (B, N², h, w, D) -> one map (B, N·h, N·w, D)."""
    batch, squared, h, w, channels = tokens.shape
    count = round(squared**0.5)
    grid = tokens.view(batch, count, count, h, w, channels).transpose(2, 3)
    return grid.reshape(batch, count * h, count * w, channels)


def split_regions(tokens: Tensor, count: int) -> Tensor:
    """One map (B, N·h, N·w, D) -> (B, h·w, N², D): what lies under each token of the overview.

    The paper prints overlapping regions, whose number contradicts its shapes; these do not overlap.
    """
    batch, height, width, channels = tokens.shape
    h, w = height // count, width // count
    cells = tokens.view(batch, h, count, w, count, channels).transpose(2, 3)
    return cells.reshape(batch, h * w, count * count, channels)


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
        regions = split_regions(detail, detail.shape[1] // overview.shape[1])
        weights = self.weights(overview, regions)
        attended: Tensor = weights.unsqueeze(2) @ self.value(regions)
        return attended.view(overview.shape)

    def weights(self, overview: Tensor, regions: Tensor) -> Tensor:
        """(B, h, w, D), (B, h·w, N², D) -> (B, h·w, N²): shares that sum to 1."""
        query = self.query(overview.flatten(1, 2)).unsqueeze(2)
        scores = (query * self.key(regions)).sum(-1) / overview.shape[-1] ** 0.5
        return torch.softmax(scores, -1)


class EnhancementLayer(nn.Module):
    """One cross attention from masks to features, residual, normalized after."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Linear(channels, channels, bias=False)
        self.key = nn.Linear(channels, channels, bias=False)
        self.value = nn.Linear(channels, channels, bias=False)
        self.norm = nn.LayerNorm(channels)
        for linear in (self.query, self.key, self.value):
            nn.init.xavier_uniform_(linear.weight)

    def forward(self, masks: Tensor, features: Tensor) -> Tensor:
        """(B, K, D), (B, h·w, D) -> (B, K, D)."""
        attended = self.weights(masks, features) @ self.value(features)
        enhanced: Tensor = self.norm(masks + attended)
        return enhanced

    def weights(self, masks: Tensor, features: Tensor) -> Tensor:
        """(B, K, h·w): shares that sum to 1."""
        scores = self.query(masks) @ self.key(features).transpose(1, 2)
        return torch.softmax(scores / masks.shape[-1] ** 0.5, -1)


class MaskEnhancement(nn.Module):
    """``layers`` of them; none leaves the masks as they are."""

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EnhancementLayer(channels) for _ in range(layers))

    def forward(self, masks: Tensor, features: Tensor) -> Tensor:
        """(B, K, D), (B, h·w, D) -> (B, K, D)."""
        for layer in self.layers:
            masks = layer(masks, features)
        return masks
