"""Vision encoders by transformers, without what is never used, so that every weight has a source.

SwinBackbone keeps shifted windows at every map size, as the Mask2Former checkpoints were trained;
plain SwinModel does not. SigLIP runs up to its last layer but one, whose tokens HyperSeg uses.
"""

from torch import Tensor, nn
from torch.nn import functional as F
from transformers import SiglipVisionConfig, SiglipVisionModel, SwinBackbone, SwinConfig


class SwinPyramid(nn.Module):
    """Swin with a norm on each stage's output (PSALM 3.1; Mask2Former ``D2SwinTransformer``)."""

    def __init__(self, config: SwinConfig) -> None:
        """config: with the four stages as ``out_features``."""
        super().__init__()
        self.backbone = SwinBackbone(config)
        self.backbone.swin.layernorm = nn.Identity()
        self.channels: tuple[int, ...] = tuple(config.embed_dim * 2**i for i in range(4))

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) normalized pixels -> res2..res5, each (B, D·2^i, H/4/2^i, W/4/2^i)."""
        maps: tuple[Tensor, ...] = self.backbone(pixel_values).feature_maps
        return maps


class SwinConnector(nn.Module):
    """Feature map to tokens; ``stride`` 2 halves each side first, ``width`` is the inner width."""

    def __init__(self, *, in_channels: int, width: int, out_channels: int, stride: int = 2) -> None:
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


class SiglipTower(nn.Module):
    """SigLIP without pooling head and final norm (HyperSeg section 2)."""

    def __init__(self, config: SiglipVisionConfig) -> None:
        """config: its layers are those that run, one less than the published tower has."""
        super().__init__()
        self.side = config.image_size // config.patch_size
        self.tower = SiglipVisionModel(config)
        self.tower.post_layernorm = nn.Identity()

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(B, 3, S, S) normalized pixels -> tokens (B, h·w, D), row-major."""
        tokens: Tensor = self.tower(pixel_values).last_hidden_state
        return tokens
