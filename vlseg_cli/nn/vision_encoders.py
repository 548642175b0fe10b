"""Vision encoders by transformers, without what is never used, so that every weight has a source.

SwinBackbone keeps shifted windows at every map size, as the Mask2Former checkpoints were trained;
plain SwinModel does not. SigLIP runs up to its last layer but one, whose tokens HyperSeg uses.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    Dinov2Config,
    Dinov2Model,
    SiglipVisionConfig,
    SiglipVisionModel,
    SwinBackbone,
    SwinConfig,
)
from transformers.models.dinov2.modeling_dinov2 import Dinov2Embeddings


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


_OFFSET = 0.1


class _Embeddings(Dinov2Embeddings):  # type: ignore[misc]
    """Patch embeddings, and positions interpolated as in DINOv2's own ``vision_transformer.py``: by
    (grid + 0.1) / grid of the weights; transformers' exact size shifts every position slightly."""

    def interpolate_pos_encoding(
        self,
        embeddings: Tensor,  # noqa: ARG002
        height: int,
        width: int,
    ) -> Tensor:
        """(B, 1 + h·w, D) tokens of an image of ``height`` × ``width`` px -> (1, 1 + h·w, D)."""
        positions: Tensor = self.position_embeddings
        native = self.patch_embeddings.image_size[0] // self.patch_size
        h, w = height // self.patch_size, width // self.patch_size
        if (h, w) == (native, native):
            return positions
        grid = positions[:, 1:].reshape(1, native, native, -1).permute(0, 3, 1, 2)
        scale = ((h + _OFFSET) / native, (w + _OFFSET) / native)
        moved = F.interpolate(grid.float(), scale_factor=scale, mode="bicubic").to(grid.dtype)
        return torch.cat([positions[:, :1], moved.flatten(2).transpose(1, 2)], 1)


class DINOv2(nn.Module):
    """Patch tokens of the last block, normalized. native: side in px of the position table."""

    def __init__(self, *, width: int, layers: int, heads: int, patch: int, native: int) -> None:
        super().__init__()
        config = Dinov2Config(
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            patch_size=patch,
            image_size=native,
            layer_norm_eps=1e-6,
        )
        self.model = Dinov2Model(config)
        self.model.embeddings = _Embeddings(config)
        self.patch = patch

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) normalized, multiples of the patch -> (B, h, w, D)."""
        tokens: Tensor = self.model(pixels).last_hidden_state[:, 1:]
        h, w = pixels.shape[2] // self.patch, pixels.shape[3] // self.patch
        return tokens.reshape(len(tokens), h, w, -1)
