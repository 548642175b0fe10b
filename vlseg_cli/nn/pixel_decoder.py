"""Where a pixel is, written into its features, so that a query can say 'left' and mean it.

Not in any of the papers: their backbones learn place from the padding over months of GPU time. A
miniature trained in hours needs it said; official configurations leave it off.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import Mask2FormerConfig
from transformers.models.mask2former.modeling_mask2former import Mask2FormerPixelDecoder

from vlseg_cli.nn.deformable import fan_out

_FREQUENCIES = (1, 2, 4, 8)


def coordinates(h: int, w: int, device: torch.device) -> Tensor:
    """y, x in [-1, 1] at cell centers with their sines and cosines: (2 + 4·F, h, w)."""
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


class PixelFeatures(NamedTuple):
    """mask_features (B, D_mask, H/4, W/4); memory: (B, D, h, w) at strides 32, 16, 8."""

    mask_features: Tensor
    memory: tuple[Tensor, ...]


class PixelDecoder(nn.Module):
    """Pyramid in, mask features and decoder memory out (PSALM section 6.1)."""

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: int,
        mask_channels: int,
        layers: int,
        heads: int,
        feedforward: int,
        coordinates: bool = False,
    ) -> None:
        super().__init__()
        config = Mask2FormerConfig(
            feature_size=channels,
            mask_feature_size=mask_channels,
            hidden_dim=channels,
            encoder_feedforward_dim=feedforward,
            encoder_layers=layers,
            num_attention_heads=heads,
            dropout=0.0,
            common_stride=4,
            feature_strides=[4, 8, 16, 32],
        )
        self.decoder = Mask2FormerPixelDecoder(config, list(in_channels))
        self._replace_stride_4(in_channels[0], channels)
        self.mask_coordinates = CoordinateEmbedding(mask_channels) if coordinates else nn.Identity()
        self.memory_coordinates = CoordinateEmbedding(channels) if coordinates else nn.Identity()
        self._initialize()

    def _replace_stride_4(self, in_channels: int, channels: int) -> None:
        lateral = nn.Sequential(
            nn.Conv2d(in_channels, channels, 1), nn.GroupNorm(32, channels), nn.ReLU()
        )
        output = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.GroupNorm(32, channels), nn.ReLU()
        )
        self.decoder.adapter_1, self.decoder.layer_1 = lateral, output
        self.decoder.lateral_convolutions = [lateral]
        self.decoder.output_convolutions = [output]

    def _initialize(self) -> None:
        nn.init.normal_(self.decoder.level_embed)
        for layer in self.decoder.encoder.layers:
            fan_out(layer.self_attn)

    def forward(self, pyramid: Sequence[Tensor]) -> PixelFeatures:
        """res2..res5, each (B, C_i, h_i, w_i) -> PixelFeatures."""
        output = self.decoder(tuple(pyramid), output_hidden_states=False, return_dict=True)
        return PixelFeatures(
            self.mask_coordinates(output.mask_features),
            tuple(self.memory_coordinates(level) for level in output.multi_scale_features),
        )
