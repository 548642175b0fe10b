"""High-resolution enhancement: masks look at the whole map of hybrid features, layer after layer.

Source: HRSeg section 3.3, equations 11 and 12. One head, no bias, no output projection; weights of
its own in each layer.
"""

import torch
from torch import Tensor, nn


class EnhancementLayer(nn.Module):
    """One cross attention from masks to features, residual, normalised after."""

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
