"""Pixel decoders: Mask2Former's over three levels, MaskDINO's over four; both may add coordinates.

Coordinates are in none of the papers: a published backbone learns position from its padding over
months of GPU time, a miniature trained in hours gets it as input. Published configurations leave
it off.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Mask2FormerConfig
from transformers.models.deformable_detr.modeling_deformable_detr import DeformableDetrEncoderLayer
from transformers.models.mask2former.modeling_mask2former import (
    Mask2FormerPixelDecoder,
    Mask2FormerSinePositionEmbedding,
)

from vlseg_cli.nn.deformable import (
    cell_centers,
    deformable_config,
    flatten_maps,
    init_deformable_attention,
)

_FREQUENCIES = (1, 2, 4, 8)


def coordinate_features(h: int, w: int, device: torch.device) -> Tensor:
    """y, x in [-1, 1] at cell centers, and their sines and cosines: (18, h, w)."""
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
        coordinates = coordinate_features(h, w, features.device).to(self.project.weight.dtype)
        output: Tensor = features + self.project(coordinates.unsqueeze(0))
        return output


class PixelFeatures(NamedTuple):
    """mask_features (B, D_mask, H/4, W/4); memory: (B, D, h, w) at strides 32, 16, 8.

    fine: mask features at stride 2 of models that have them, (B, D_mask, H/2, W/2).
    """

    mask_features: Tensor
    memory: tuple[Tensor, ...]
    fine: Tensor | None = None


class FineMaskFeatures(nn.Module):
    """Mask features at stride 2: those of stride 4 enlarged, and what the pixels show of edges.

    In none of the papers: at 1024 px a stride of 4 is fine enough, at 256 px it is not.
    """

    def __init__(self, channels: int, width: int = 32) -> None:
        super().__init__()
        self.coarse = nn.Conv2d(channels, width, 1)
        self.pixels = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2, padding=1), nn.GELU(), nn.Conv2d(width, width, 1)
        )
        self.mix = nn.Sequential(
            nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(width, channels, 1),
        )

    def forward(self, pixel_values: Tensor, mask_features: Tensor) -> Tensor:
        """(B, 3, H, W), (B, D, H/4, W/4) -> (B, D, H/2, W/2)."""
        fine = self.pixels(pixel_values)
        size = fine.shape[-2:]
        coarse = self.coarse(mask_features)
        fine = self.mix(fine + F.interpolate(coarse, size, mode="bilinear", align_corners=False))
        enlarged = F.interpolate(mask_features, size, mode="bilinear", align_corners=False)
        output: Tensor = enlarged + fine
        return output


class PixelDecoder(nn.Module):
    """Mask2Former's: pyramid to mask features and three levels of memory (PSALM section 6.1)."""

    def __init__(
        self, config: Mask2FormerConfig, *, in_channels: Sequence[int], coordinates: bool = False
    ) -> None:
        super().__init__()
        channels, mask_channels = config.feature_size, config.mask_feature_size
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
            init_deformable_attention(layer.self_attn)

    def forward(self, pyramid: Sequence[Tensor]) -> PixelFeatures:
        """res2..res5, each (B, C_i, h_i, w_i) -> PixelFeatures."""
        output = self.decoder(tuple(pyramid), output_hidden_states=False, return_dict=True)
        return PixelFeatures(
            self.mask_coordinates(output.mask_features),
            tuple(self.memory_coordinates(level) for level in output.multi_scale_features),
        )


MASK_DINO_LEVELS = 4
_GROUPS = 32


class MultiScalePixelDecoder(nn.Module):
    """MaskDINO's: deformable attention over strides 8 to 64, mask features at 4 (MVP-LM 6.1).

    Mask2Former's of transformers is fixed to three levels; this one is built of Deformable DETR's
    layers.
    """

    def __init__(
        self,
        *,
        in_channels: Sequence[int],
        channels: int,
        mask_channels: int,
        layers: int,
        heads: int,
        feedforward: int,
        coordinates: bool = False,
    ) -> None:
        super().__init__()
        stride_4, *coarser = in_channels
        self.input_projections = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, channels, 1), nn.GroupNorm(_GROUPS, channels))
            for width in coarser
        )
        self.input_projections.append(
            nn.Sequential(
                nn.Conv2d(coarser[-1], channels, 3, stride=2, padding=1),
                nn.GroupNorm(_GROUPS, channels),
            )
        )
        self.level_embed = nn.Parameter(torch.randn(MASK_DINO_LEVELS, channels))
        self.position = Mask2FormerSinePositionEmbedding(channels // 2, normalize=True)
        config = deformable_config(channels, heads, feedforward, MASK_DINO_LEVELS)
        self.layers = nn.ModuleList(DeformableDetrEncoderLayer(config) for _ in range(layers))
        self.lateral = nn.Sequential(
            nn.Conv2d(stride_4, channels, 1, bias=False), nn.GroupNorm(_GROUPS, channels)
        )
        self.output = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.GroupNorm(_GROUPS, channels),
            nn.ReLU(),
        )
        self.mask_projection = nn.Conv2d(channels, mask_channels, 1)
        self.mask_coordinates = CoordinateEmbedding(mask_channels) if coordinates else nn.Identity()
        self.memory_coordinates = CoordinateEmbedding(channels) if coordinates else nn.Identity()
        for layer in self.layers:
            init_deformable_attention(layer.self_attn)

    def forward(self, pyramid: Sequence[Tensor]) -> PixelFeatures:
        """res2..res5, each (B, C_i, h_i, w_i) -> mask features, memory at strides 64, 32, 16, 8."""
        stride_4, *coarser = pyramid
        sources = [*coarser, coarser[-1]]  # the coarsest level is computed from res5, too
        maps = [
            project(source) for project, source in zip(self.input_projections, sources, strict=True)
        ]
        encoded = self._encode(maps)
        finest = F.interpolate(
            encoded[0], stride_4.shape[-2:], mode="bilinear", align_corners=False
        )
        features = self.output(self.lateral(stride_4) + finest)
        return PixelFeatures(
            self.mask_coordinates(self.mask_projection(features)),
            tuple(self.memory_coordinates(level) for level in reversed(encoded)),
        )

    def _encode(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Deformable self attention over the maps at strides 8, 16, 32, 64."""
        flat = flatten_maps(maps)
        hidden, arguments = flat.vectors, flat.layer_arguments()
        positions = flatten_maps(
            [
                self.position(each.shape, each.device, each.dtype) + level.view(-1, 1, 1)
                for each, level in zip(maps, self.level_embed, strict=True)
            ]
        ).vectors
        centers = torch.cat([cell_centers(size, hidden.device) for size in flat.sizes])
        reference = centers.to(hidden.dtype)[None, :, None].expand(
            len(hidden), -1, MASK_DINO_LEVELS, -1
        )
        for layer in self.layers:
            hidden = layer(
                hidden,
                None,
                spatial_position_embeddings=positions,
                reference_points=reference,
                **arguments,
            )
        return flat.split(hidden)
