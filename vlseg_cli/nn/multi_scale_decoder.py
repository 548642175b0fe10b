"""A pixel decoder of four levels: deformable attention over strides 8 to 64, mask features at 4.

transformers' Mask2Former pixel decoder is fixed to three levels, so the encoder is put together
here from Deformable DETR's layers. Source: MVP-LM section 6.1, ``pixel_decoder`` (MaskDINO's).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.models.deformable_detr.modeling_deformable_detr import DeformableDetrEncoderLayer
from transformers.models.mask2former.modeling_mask2former import Mask2FormerSinePositionEmbedding

from vlseg_cli.nn.deformable import cell_centers, deformable_config, fan_out, flatten
from vlseg_cli.nn.pixel_decoder import CoordinateEmbedding, PixelFeatures

LEVELS = 4
_GROUPS = 32


class MultiScaleDecoder(nn.Module):
    """Pyramid in, mask features and four levels of memory out."""

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
        self.level_embed = nn.Parameter(torch.randn(LEVELS, channels))
        self.position = Mask2FormerSinePositionEmbedding(channels // 2, normalize=True)
        config = deformable_config(channels, heads, feedforward, LEVELS)
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
            fan_out(layer.self_attn)

    def forward(self, pyramid: Sequence[Tensor]) -> PixelFeatures:
        """res2..res5, each (B, C_i, h_i, w_i) -> mask features, memory at strides 64, 32, 16, 8."""
        stride_4, *coarser = pyramid
        sources = [*coarser, coarser[-1]]  # the coarsest level is made from res5, too
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
        """Maps at strides 8, 16, 32, 64 look at one another."""
        flat = flatten(maps)
        hidden, arguments = flat.vectors, flat.arguments()
        places = flatten(
            [
                self.position(each.shape, each.device, each.dtype) + level.view(-1, 1, 1)
                for each, level in zip(maps, self.level_embed, strict=True)
            ]
        ).vectors
        centers = torch.cat([cell_centers(size, hidden.device) for size in flat.sizes])
        reference = centers.to(hidden.dtype)[None, :, None].expand(len(hidden), -1, LEVELS, -1)
        for layer in self.layers:
            hidden = layer(
                hidden,
                None,
                spatial_position_embeddings=places,
                reference_points=reference,
                **arguments,
            )
        return flat.split(hidden)
