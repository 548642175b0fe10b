"""High-resolution perception and enhancement: a large image as W × W windows of the encoder's size.

Source: HRSeg sections 3.2 and 3.3 (equations 3 and 7). The windows do not overlap and go row by
row, so one overview token covers exactly the pixels of W × W window tokens.
"""

import torch
from torch import Tensor, nn


def cut_windows(image: Tensor, count: int) -> Tensor:
    """(C, count·H, count·W) -> (count², C, H, W), row by row."""
    channels, height, width = image.shape
    tiles = image.reshape(channels, count, height // count, count, width // count)
    return tiles.permute(1, 3, 0, 2, 4).flatten(0, 1)


def join_windows(tokens: Tensor) -> Tensor:
    """Tokens of each window (B, count², h, w, D) -> one map (B, count·h, count·w, D)."""
    batch, squared, h, w, channels = tokens.shape
    count = round(squared**0.5)
    grid = tokens.view(batch, count, count, h, w, channels).transpose(2, 3)
    return grid.reshape(batch, count * h, count * w, channels)


def split_regions(tokens: Tensor, count: int) -> Tensor:
    """(B, count·h, count·w, D) -> (B, h·w, count², D): the window tokens under each overview token.

    The paper prints overlapping regions, but their number contradicts its shapes.
    """
    batch, height, width, channels = tokens.shape
    h, w = height // count, width // count
    cells = tokens.view(batch, h, count, w, count, channels).transpose(2, 3)
    return cells.reshape(batch, h * w, count * count, channels)


class RegionAttention(nn.Module):
    """Cross attention: queries from the overview, keys and values from the windows (equation 7)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Linear(channels, channels, bias=False)
        self.key = nn.Linear(channels, channels, bias=False)
        self.value = nn.Linear(channels, channels, bias=False)
        for linear in (self.query, self.key, self.value):
            nn.init.xavier_uniform_(linear.weight)

    def forward(self, overview: Tensor, detail: Tensor) -> Tensor:
        """(B, h, w, D), (B, count·h, count·w, D) -> the detail per overview token, (B, h, w, D)."""
        regions = split_regions(detail, detail.shape[1] // overview.shape[1])
        weights = self.weights(overview, regions)
        attended: Tensor = weights.unsqueeze(2) @ self.value(regions)
        return attended.view(overview.shape)

    def weights(self, overview: Tensor, regions: Tensor) -> Tensor:
        """(B, h, w, D), (B, h·w, count², D) -> (B, h·w, count²): softmax weights."""
        query = self.query(overview.flatten(1, 2)).unsqueeze(2)
        scores = (query * self.key(regions)).sum(-1) / overview.shape[-1] ** 0.5
        return torch.softmax(scores, -1)


class EnhancementLayer(nn.Module):
    """Cross attention from masks to features with a residual; post-norm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Linear(channels, channels, bias=False)
        self.key = nn.Linear(channels, channels, bias=False)
        self.value = nn.Linear(channels, channels, bias=False)
        self.norm = nn.LayerNorm(channels)
        for linear in (self.query, self.key, self.value):
            nn.init.xavier_uniform_(linear.weight)

    def forward(self, masks: Tensor, features: Tensor) -> Tensor:
        """(B, M, D), (B, h·w, D) -> (B, M, D)."""
        attended = self.weights(masks, features) @ self.value(features)
        enhanced: Tensor = self.norm(masks + attended)
        return enhanced

    def weights(self, masks: Tensor, features: Tensor) -> Tensor:
        """(B, M, h·w): softmax weights."""
        scores = self.query(masks) @ self.key(features).transpose(1, 2)
        return torch.softmax(scores / masks.shape[-1] ** 0.5, -1)


class MaskEnhancement(nn.Module):
    """A stack of enhancement layers (section 3.3); without layers the masks stay unchanged."""

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EnhancementLayer(channels) for _ in range(layers))

    def forward(self, masks: Tensor, features: Tensor) -> Tensor:
        """(B, M, D), (B, h·w, D) -> (B, M, D)."""
        for layer in self.layers:
            masks = layer(masks, features)
        return masks
