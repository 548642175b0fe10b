"""The second eye: SigLIP's tokens, as its last but one layer leaves them (HyperSeg section 2).

transformers' SiglipVisionModel without what is never used: the last layer, the norm after it and
the pooling head are not built at all.
"""

from torch import Tensor, nn
from transformers import SiglipVisionConfig, SiglipVisionModel


class SiglipTower(nn.Module):
    """``layers``: those that are run, one less than the published tower has."""

    def __init__(
        self,
        image_size: int,
        patch: int,
        channels: int,
        layers: int,
        heads: int,
        feedforward: int,
    ) -> None:
        super().__init__()
        self.side = image_size // patch
        self.tower = SiglipVisionModel(
            SiglipVisionConfig(
                image_size=image_size,
                patch_size=patch,
                hidden_size=channels,
                num_hidden_layers=layers,
                num_attention_heads=heads,
                intermediate_size=feedforward,
                hidden_act="gelu_pytorch_tanh",
                layer_norm_eps=1e-6,
                vision_use_head=False,
            )
        )
        self.tower.post_layernorm = nn.Identity()

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(B, 3, S, S) normalized pixels -> tokens (B, h·w, D), row-major."""
        tokens: Tensor = self.tower(pixel_values).last_hidden_state
        return tokens
