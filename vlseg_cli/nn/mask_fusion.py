"""Mask fusion: two-way attention between the mask proposals of an image and one text vector.

Source: LLM-Seg ``model/transformer.py`` and ``model/LISA.py``: SAM's two-way block without
positions, with residual self attention and at full width.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Multi-head attention with biased projections of the same width."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(channels, channels)
        self.k_proj = nn.Linear(channels, channels)
        self.v_proj = nn.Linear(channels, channels)
        self.out_proj = nn.Linear(channels, channels)

    def forward(self, queries: Tensor, keys: Tensor, bias: Tensor | None = None) -> Tensor:
        """(P, N, D), (P, M, D) -> (P, N, D). bias (P, 1, M): added to the scores of all heads."""
        attended = F.scaled_dot_product_attention(
            self._split(self.q_proj(queries)),
            self._split(self.k_proj(keys)),
            self._split(self.v_proj(keys)),
            attn_mask=None if bias is None else bias.unsqueeze(1),
        )
        joined: Tensor = self.out_proj(attended.transpose(1, 2).flatten(2))
        return joined

    def _split(self, tokens: Tensor) -> Tensor:
        width = tokens.shape[2] // self.heads
        return tokens.view(*tokens.shape[:2], self.heads, width).transpose(1, 2)


class FusionBlock(nn.Module):
    """Self attention of masks, masks to text, an MLP, text to masks; post-norm."""

    def __init__(self, channels: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.self_attn = Attention(channels, heads)
        self.masks_to_text = Attention(channels, heads)
        self.text_to_masks = Attention(channels, heads)
        self.fc1 = nn.Linear(channels, feedforward)
        self.fc2 = nn.Linear(feedforward, channels)
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(4))

    def forward(self, masks: Tensor, text: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """(P, M, D), (P, 1, D), (P, 1, M) -> masks and text of the same shapes."""
        masks = self.norms[0](masks + self.self_attn(masks, masks, bias))
        masks = self.norms[1](masks + self.masks_to_text(masks, text))
        masks = self.norms[2](masks + self.fc2(F.relu(self.fc1(masks))))
        text = self.norms[3](text + self.text_to_masks(text, masks, bias))
        return masks, text


class MaskFusion(nn.Module):
    """Fusion blocks, then a final cross attention from masks to text."""

    def __init__(self, channels: int, heads: int, feedforward: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            FusionBlock(channels, heads, feedforward) for _ in range(layers)
        )
        self.final_attn = Attention(channels, heads)
        self.norm = nn.LayerNorm(channels)

    def forward(self, masks: Tensor, text: Tensor, present: Tensor) -> Tensor:
        """(P, M, D), (P, D), present (P, M) bool: False at padding -> (P, M, D)."""
        bias = torch.zeros_like(present, dtype=masks.dtype)
        bias = bias.masked_fill(~present, torch.finfo(masks.dtype).min).unsqueeze(1)
        text = text.unsqueeze(1)
        for layer in self.layers:
            masks, text = layer(masks, text, bias)
        fused: Tensor = self.norm(masks + self.final_attn(masks, text))
        return fused
