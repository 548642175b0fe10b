"""The vision tower: transformers' Swin backbone, four feature maps at strides 4, 8, 16 and 32.

SwinBackbone keeps shifted windows at every map size, as the Mask2Former checkpoints were trained;
plain SwinModel does not.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F
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
        """(B, 3, H, W) normalized pixels -> res2..res5, each (B, D·2^i, H/4/2^i, W/4/2^i)."""
        maps: tuple[Tensor, ...] = self.backbone(pixel_values).feature_maps
        return maps


class SwinConnector(nn.Module):
    """Feature map to tokens; ``stride`` 2 halves each side first, ``width`` is the inner width."""

    def __init__(self, in_channels: int, width: int, out_channels: int, stride: int = 2) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = nn.Sequential(
            nn.Conv2d(in_channels, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
        )
        self.fc = nn.Linear(width, out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, D, h/stride, w/stride): a map of tokens, row-major when flattened."""
        hidden = F.relu(self.bn1(self.conv1(features)))
        hidden = self.bn2(self.conv2(self.conv2(hidden)))  # the same weights twice, nothing between
        hidden = F.relu(hidden + self.shortcut(features))
        tokens: Tensor = self.fc(hidden.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return tokens
