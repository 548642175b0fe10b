"""LLaVA v1 and v1.6 of transformers: CLIP tokens, a projector, LLaMA.

They differ in the projector and in how an image is cut into views; the language model is the same.
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from transformers import (
    CLIPVisionConfig,
    DynamicCache,
    LlamaConfig,
    LlavaConfig,
    LlavaModel,
    LlavaNextConfig,
    LlavaNextModel,
)

Kind = Literal["v1", "v1.6"]
# v1.6: the grids (height, width) of views that an image may be cut into.
GRIDS = ((1, 2), (2, 1), (2, 2), (3, 1), (1, 3))
_FEATURE_LAYER = -2  # of CLIP


@dataclass(frozen=True, slots=True)
class LLaVASizes:
    """Channels, layers, heads and pixels; see ``HRSegConfig`` for the published ones."""

    kind: Kind
    clip_image: int
    clip_patch: int
    clip_width: int
    clip_layers: int
    clip_heads: int
    clip_feedforward: int
    width: int
    layers: int
    heads: int
    feedforward: int
    vocabulary: int
    positions: int
    norm_epsilon: float


class LLaVA(nn.Module):
    """Image tokens, and hidden states of the language model over image and text tokens."""

    def __init__(self, sizes: LLaVASizes) -> None:
        super().__init__()
        self.kind = sizes.kind
        parts: dict[str, Any] = {
            "vision_config": _clip_config(sizes),
            "text_config": _llama_config(sizes),
            "vision_feature_layer": _FEATURE_LAYER,
        }
        if sizes.kind == "v1.6":
            grids = [[h * sizes.clip_image, w * sizes.clip_image] for h, w in GRIDS]
            self.model = LlavaNextModel(LlavaNextConfig(**parts, image_grid_pinpoints=grids))
        else:
            self.model = LlavaModel(LlavaConfig(**parts))
            # v1's projector is one linear layer; transformers has v1.5's.
            self.model.multi_modal_projector = nn.Linear(sizes.clip_width, sizes.width)

    @property
    def language(self) -> nn.Module:
        """LLaMA without its output head."""
        language: nn.Module = self.model.language_model
        return language

    def image_tokens(self, pixels: Tensor, sizes: Tensor) -> list[Tensor]:
        """B images -> (L, D) each. sizes (B, 2): heights and widths in px before fitting.

        v1: pixels (B, 3, H, W). v1.6: (B, V, 3, H, W), the whole image and its views.
        """
        if self.kind == "v1":
            return list(self.model.get_image_features(pixels, return_dict=True).pooler_output)
        tokens = self.model.get_image_features(pixels, image_sizes=sizes, return_dict=True)
        return list(tokens.pooler_output)

    def embed(self, ids: Tensor) -> Tensor:
        """(P, L) ids -> (P, L, D); negative ids (placeholders) get the embedding of id 0."""
        table: nn.Module = self.model.language_model.get_input_embeddings()
        embeds: Tensor = table(ids.clamp(min=0))
        return embeds

    def run(self, embeds: Tensor, real: Tensor, cache: DynamicCache) -> Tensor:
        """Continue a cached sequence: embeds (P, L, D) -> hidden states after the last norm.

        real (P, earlier + L) bool: False at padding, cached positions included.
        """
        positions = (real.long().cumsum(1) - 1).clamp(min=0)[:, -embeds.shape[1] :]
        hidden: Tensor = self.language(
            inputs_embeds=embeds,
            attention_mask=real.long(),
            position_ids=positions,
            cache=cache,
            use_cache=True,
        ).last_hidden_state
        return hidden


def pad_left(rows: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Rows (L, D) of any length -> left-padded (B, longest, D), and bool: False at padding."""
    longest = max(len(row) for row in rows)
    padded = rows[0].new_zeros(len(rows), longest, rows[0].shape[1])
    real = torch.zeros(padded.shape[:2], dtype=torch.bool, device=padded.device)
    for index, row in enumerate(rows):
        padded[index, longest - len(row) :] = row
        real[index, longest - len(row) :] = True
    return padded, real


def _clip_config(sizes: LLaVASizes) -> CLIPVisionConfig:
    return CLIPVisionConfig(
        image_size=sizes.clip_image,
        patch_size=sizes.clip_patch,
        hidden_size=sizes.clip_width,
        num_hidden_layers=sizes.clip_layers,
        num_attention_heads=sizes.clip_heads,
        intermediate_size=sizes.clip_feedforward,
    )


def _llama_config(sizes: LLaVASizes) -> LlamaConfig:
    return LlamaConfig(
        hidden_size=sizes.width,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.feedforward,
        vocab_size=sizes.vocabulary,
        max_position_embeddings=sizes.positions,
        rms_norm_eps=sizes.norm_epsilon,
        pad_token_id=None,
    )
