"""Deformable attention over several feature maps, around the layers of transformers.

Here are the layers' configuration, the flat memory that they attend to, and Deformable DETR's
initialization.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import DeformableDetrConfig


class FlatMaps(NamedTuple):
    """Concatenated feature maps: vectors (B, S, D), S the sum of h·w; sizes (h, w) of each map."""

    vectors: Tensor
    sizes: tuple[tuple[int, int], ...]

    def layer_arguments(self) -> dict[str, Any]:
        """Keyword arguments of transformers' deformable layers that describe the maps."""
        shapes = torch.tensor(self.sizes, device=self.vectors.device)
        areas = shapes.prod(1)
        return {
            "spatial_shapes": shapes,
            "spatial_shapes_list": list(self.sizes),
            "level_start_index": areas.cumsum(0) - areas,
        }

    def split(self, vectors: Tensor) -> tuple[Tensor, ...]:
        """(B, S, D) -> maps (B, D, h, w)."""
        levels = torch.split(vectors, [h * w for h, w in self.sizes], 1)
        return tuple(
            level.transpose(1, 2).reshape(len(level), -1, *size)
            for level, size in zip(levels, self.sizes, strict=True)
        )


def flatten_maps(maps: Sequence[Tensor]) -> FlatMaps:
    """Maps (B, D, h, w), each flattened row-major."""
    vectors = torch.cat([each.flatten(2).transpose(1, 2) for each in maps], 1)
    return FlatMaps(vectors, tuple((each.shape[-2], each.shape[-1]) for each in maps))


def cell_centers(size: tuple[int, int], device: torch.device) -> Tensor:
    """(h·w, 2) as x, y in [0, 1], row-major."""
    h, w = size
    y = (torch.arange(h, device=device) + 0.5) / h
    x = (torch.arange(w, device=device) + 0.5) / w
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([columns, rows], -1).flatten(0, 1)


def deformable_config(
    channels: int, heads: int, feedforward: int, levels: int
) -> DeformableDetrConfig:
    """The configuration of transformers' deformable layers: 4 points, ReLU, no dropout."""
    return DeformableDetrConfig(
        d_model=channels,
        num_feature_levels=levels,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=feedforward,
        decoder_ffn_dim=feedforward,
        encoder_n_points=4,
        decoder_n_points=4,
        activation_function="relu",
        dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        attn_implementation="sdpa",
    )


def init_deformable_attention(attention: Any) -> None:
    """Deformable DETR's initialization: radial sampling offsets, uniform attention weights."""
    heads, points, levels = attention.n_heads, attention.n_points, attention.n_levels
    angle = torch.arange(heads) * (2 * math.pi / heads)
    direction = torch.stack([angle.cos(), angle.sin()], -1)
    direction = (direction / direction.abs().amax(-1, keepdim=True)).view(heads, 1, 1, 2)
    offsets = direction * torch.arange(1, points + 1).view(1, 1, points, 1)
    nn.init.zeros_(attention.sampling_offsets.weight)
    with torch.no_grad():
        attention.sampling_offsets.bias.copy_(offsets.expand(heads, levels, points, 2).reshape(-1))
    nn.init.zeros_(attention.attention_weights.weight)
    nn.init.zeros_(attention.attention_weights.bias)
    for linear in (attention.value_proj, attention.output_proj):
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
