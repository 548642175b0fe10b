"""The vision tower: transformers' Swin backbone, four feature maps at strides 4, 8, 16 and 32.

SwinBackbone keeps shifted windows at every map size, as the Mask2Former checkpoints were trained;
plain SwinModel does not.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from transformers import SwinBackbone, SwinConfig


class SwinPyramid(nn.Module):
    """Swin with a norm on each stage's output (PSALM 3.1; Mask2Former ``D2SwinTransformer``)."""

    def __init__(
        self,
        embed_dim: int,
        depths: Sequence[int],
        num_heads: Sequence[int],
        window_size: int,
        drop_path_rate: float = 0.3,
    ) -> None:
        super().__init__()
        self.backbone = SwinBackbone(
            SwinConfig(
                embed_dim=embed_dim,
                depths=list(depths),
                num_heads=list(num_heads),
                window_size=window_size,
                patch_size=4,
                drop_path_rate=drop_path_rate,
                out_features=["stage1", "stage2", "stage3", "stage4"],
            )
        )
        # Never used by the backbone's outputs; without it every parameter of ours has a source.
        self.backbone.swin.layernorm = nn.Identity()
        self.channels: tuple[int, ...] = tuple(embed_dim * 2**i for i in range(4))

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) normalised pixels -> res2..res5, each (B, D·2^i, H/4/2^i, W/4/2^i)."""
        maps: tuple[Tensor, ...] = self.backbone(pixel_values).feature_maps
        return maps
