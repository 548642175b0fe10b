"""The pixel decoder: multi-scale deformable attention over the pyramid, then features at stride 4.

transformers' Mask2FormerPixelDecoder with the two deviations of PSALM's code: the stride-4 lateral
and output convolutions have a bias, and the lateral one ends with a ReLU.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn
from transformers import Mask2FormerConfig
from transformers.models.mask2former.modeling_mask2former import Mask2FormerPixelDecoder

from vlseg_cli.nn.coordinates import CoordinateEmbedding
from vlseg_cli.nn.deformable import fan_out


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
        self._initialise()

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

    def _initialise(self) -> None:
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
