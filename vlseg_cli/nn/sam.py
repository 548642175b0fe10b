"""SAM of transformers: image features once, then masks for batches of points."""

from dataclasses import dataclass

from torch import Tensor, nn
from transformers import (
    SamConfig,
    SamMaskDecoderConfig,
    SamModel,
    SamPromptEncoderConfig,
    SamVisionConfig,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SAMSizes:
    """Pixels, channels, layers, heads; the published sizes are those of ``HRSegConfig``."""

    image: int
    patch: int
    width: int
    layers: int
    heads: int
    window: int
    whole: tuple[int, ...]  # indices of the layers with global attention
    channels: int
    decoder_feedforward: int
    decoder_heads: int


class SAM(nn.Module):
    """Frozen in every system; used without gradients."""

    def __init__(self, sizes: SAMSizes) -> None:
        super().__init__()
        vision = SamVisionConfig(
            hidden_size=sizes.width,
            output_channels=sizes.channels,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            image_size=sizes.image,
            patch_size=sizes.patch,
            window_size=sizes.window,
            global_attn_indexes=list(sizes.whole),
            num_pos_feats=sizes.channels // 2,
        )
        prompts = SamPromptEncoderConfig(
            hidden_size=sizes.channels, image_size=sizes.image, patch_size=sizes.patch
        )
        decoder = SamMaskDecoderConfig(
            hidden_size=sizes.channels,
            mlp_dim=sizes.decoder_feedforward,
            num_attention_heads=sizes.decoder_heads,
            iou_head_hidden_dim=sizes.channels,
        )
        self.model = SamModel(
            SamConfig(
                vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder
            )
        )
        self.sizes = sizes

    @property
    def image_size(self) -> int:
        """Side of the square input in px."""
        return self.sizes.image

    def encode_image(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) normalized, padded with zeros -> features (B, D, S/16, S/16)."""
        features: Tensor = self.model.get_image_embeddings(pixels)
        return features

    def masks_at(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """features (1, D, h, w), points (Q, 2) as x, y in px of the input -> three masks a point.

        Logits (Q, 3, S/4, S/4) and SAM's predicted IoU of each, (Q, 3).
        """
        found = self.model(
            image_embeddings=features, input_points=points.view(1, -1, 1, 2), multimask_output=True
        )
        return found.pred_masks[0], found.iou_scores[0]
