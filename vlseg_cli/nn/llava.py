"""LLaVA v1 and v1.6 of transformers: CLIP tokens, a projector, LLaMA.

They differ in the projector and in how an image is cut into views; the language model is the same.
"""

import torch
from torch import Tensor, nn
from transformers import DynamicCache, LlavaConfig, LlavaModel, LlavaNextConfig, LlavaNextModel

# v1.6: the grids (height, width) of views that an image may be cut into.
GRIDS = ((1, 2), (2, 1), (2, 2), (3, 1), (1, 3))


class LLaVA(nn.Module):
    """Image tokens, and hidden states of the language model over image and text tokens."""

    def __init__(self, config: LlavaConfig | LlavaNextConfig) -> None:
        """config: LlavaConfig for v1, LlavaNextConfig for v1.6."""
        super().__init__()
        self.has_views = isinstance(config, LlavaNextConfig)
        if self.has_views:
            self.model = LlavaNextModel(config)
        else:
            self.model = LlavaModel(config)
            # v1's projector is one linear layer; transformers has v1.5's.
            self.model.multi_modal_projector = nn.Linear(
                config.vision_config.hidden_size, config.text_config.hidden_size
            )

    @property
    def language(self) -> nn.Module:
        """LLaMA without its output head."""
        language: nn.Module = self.model.language_model
        return language

    def image_tokens(self, pixels: Tensor, sizes: Tensor) -> list[Tensor]:
        """B images -> (L, D) each. sizes (B, 2): heights and widths in px before fitting.

        v1: pixels (B, 3, H, W). v1.6: (B, V, 3, H, W), the whole image and its views.
        """
        if not self.has_views:
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
