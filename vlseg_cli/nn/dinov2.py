"""DINOv2 of transformers with the position interpolation of DINOv2's own code.

Source: facebookresearch/dinov2 ``vision_transformer.py``: the scale factor is (grid + 0.1) / grid
of the weights. transformers passes the exact size, which shifts every position slightly.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Dinov2Config, Dinov2Model
from transformers.models.dinov2.modeling_dinov2 import Dinov2Embeddings

_OFFSET = 0.1


class _Embeddings(Dinov2Embeddings):  # type: ignore[misc]
    """Patch embeddings and positions."""

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
