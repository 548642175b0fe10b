"""Auxiliary heads that exist in training only: dense categories, boxes, token localization.

A miniature learns categories and positions much faster with direct supervision; inference never
uses these heads and they are not saved.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DenseCategoryHead(nn.Module):
    """Classifies every cell of the mask features."""

    def __init__(self, channels: int, names: int) -> None:
        super().__init__()
        self.classify = nn.Conv2d(channels, names, 1)

    def forward(self, mask_features: Tensor, semantic: Tensor) -> Tensor:
        """(B, D, h, w) and (B, h, w) indices, -1 where unknown -> mean cross entropy,
        0 if no cell is known."""
        logits: Tensor = self.classify(mask_features)
        if not (semantic >= 0).any():
            return logits.sum() * 0
        return F.cross_entropy(logits, semantic, ignore_index=-1)


class BoxHead(nn.Module):
    """Regresses the box of a query's object: center and size in [0, 1]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.regress = nn.Sequential(
            nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, 4)
        )

    def forward(self, hidden: Tensor, boxes: Tensor) -> Tensor:
        """Query states (M, D) and true boxes (M, 4) as cx, cy, w, h -> mean absolute error."""
        return F.l1_loss(self.regress(hidden).sigmoid(), boxes)


class LocalizationHead(nn.Module):
    """Attention of a mask token over image tokens, supervised with the object's mask."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)

    def forward(self, mask_token: Tensor, image_tokens: Tensor, truth: Tensor) -> Tensor:
        """(M, D), (M, L, D) and the covered fraction of each cell (M, L) -> mean cross entropy."""
        logits = torch.einsum("md,mld->ml", self.query(mask_token), self.key(image_tokens))
        logits = logits / mask_token.shape[-1] ** 0.5
        target = truth / truth.sum(1, keepdim=True).clamp(min=1e-6)
        return F.cross_entropy(logits, target)
