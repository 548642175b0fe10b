"""SELF1E's network: image tokens attend to [SEG], and a dot product between the two is the mask.

Data flows top to bottom: ``encode_image`` runs once per image; ``run_language_model``,
``build_queries`` and ``decode_masks`` per conversation. There is no mask decoder.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import (
    InternVLConfig,
    InternVLForConditionalGeneration,
    InternVLVisionConfig,
    Qwen2Config,
    Qwen3Config,
)

from vlseg_cli.models.self1e.config import SELF1EConfig
from vlseg_cli.models.self1e.prompts import Conversation
from vlseg_cli.nn.residual_refill import (
    ResidualRefill,
    TileLayout,
    pixel_unshuffle,
    self_replicate,
    stitch_tiles,
    two_pathway_mask,
)


class SELF1EFeatures(NamedTuple):
    """Step 1 for B images of one layout: tokens (B, L, D), the language model's input, tile after
    tile; restored (B, h, w, 4D), the same in the space of refilling; fine (B, 4h, 4w, D) pixels."""

    tokens: Tensor
    restored: Tensor
    fine: Tensor
    layout: TileLayout

    def __len__(self) -> int:
        return len(self.tokens)


class SELF1EInputs(NamedTuple):
    """P conversations, right-padded: ids, positions (P, L); image, seg, answer, padding (P, L)
    bool. Padding is every position with the padding id."""

    ids: Tensor
    image: Tensor
    seg: Tensor
    answer: Tensor
    padding: Tensor
    positions: Tensor


class SELF1ELanguageOutput(NamedTuple):
    """Step 2 for P conversations: the inputs, their embeddings and hidden states (P, L, D)."""

    inputs: SELF1EInputs
    embeds: Tensor
    hidden: Tensor


class SELF1EQueries(NamedTuple):
    """Step 3: amplified (P, h, w, 4D) image tokens; queries (M, D), one per ``[SEG]``, and the
    conversation of each, owner (M,)."""

    amplified: Tensor
    queries: Tensor
    owner: Tensor


class SELF1EMaskOutput(NamedTuple):
    """Step 4: pred_masks (M, 4h, 4w) logits and the conversation of each, owner (M,)."""

    pred_masks: Tensor
    owner: Tensor


class SELF1E(nn.Module):
    """The published architecture; ``SELF1EConfig()`` is the published 2B size."""

    def __init__(self, config: SELF1EConfig) -> None:
        super().__init__()
        self.config = config
        self.internvl = InternVLForConditionalGeneration(_internvl_config(config))
        self.refill = ResidualRefill(config.language_channels)

    # 1 encode_image ---------------------------------------------------------------------------

    def encode_image(self, pixel_values: Tensor, layout: TileLayout = (1, 1)) -> SELF1EFeatures:
        """(B · T, 3, S, S) normalized tiles, T = rows · columns per image -> features."""
        internvl = self.internvl.model
        patches = internvl.vision_tower(pixel_values).last_hidden_state[:, 1:]
        side = round(patches.shape[1] ** 0.5)
        packed = internvl.pixel_shuffle(patches.unflatten(1, (side, side)), 0.5)
        tokens = internvl.multi_modal_projector(packed.flatten(1, 2))
        unpacked = internvl.multi_modal_projector(self_replicate(patches))
        tiles = layout[0] * layout[1]
        tokens, unpacked = (t.reshape(len(t) // tiles, -1, t.shape[-1]) for t in (tokens, unpacked))
        restored = stitch_tiles(self.refill.restore(tokens), layout)
        fine = pixel_unshuffle(stitch_tiles(self.refill.restore(unpacked), layout))
        return SELF1EFeatures(tokens, restored, fine, layout)

    # 2 run_language_model ---------------------------------------------------------------------

    def run_language_model(
        self,
        image_features: SELF1EFeatures,
        conversations: Sequence[Conversation],
        image_index: Tensor,
    ) -> SELF1ELanguageOutput:
        """P conversations, conversation p about image ``image_index[p]``; all in one pass."""
        inputs = pad_conversations(conversations, self.config.padding, image_index.device)
        embeds = self._embed(inputs, image_features.tokens[image_index])
        hidden = self.internvl.model.language_model(
            inputs_embeds=embeds,
            attention_mask=two_pathway_mask(inputs.image, inputs.seg, inputs.padding),
            position_ids=inputs.positions,
            use_cache=False,
        ).last_hidden_state
        return SELF1ELanguageOutput(inputs, embeds, hidden)

    def _embed(self, inputs: SELF1EInputs, tokens: Tensor) -> Tensor:
        """Text embeddings, with image tokens (P, L, D) at the image positions."""
        embeds: Tensor = self.internvl.get_input_embeddings()(inputs.ids)
        return embeds.masked_scatter(inputs.image.unsqueeze(-1), tokens.to(embeds.dtype))

    # 3 build_queries --------------------------------------------------------------------------

    def build_queries(
        self, image_features: SELF1EFeatures, language_output: SELF1ELanguageOutput
    ) -> SELF1EQueries:
        """Hidden states of the image tokens, and a query from the position before each [SEG]."""
        inputs, hidden = language_output.inputs, language_output.hidden
        image = hidden[inputs.image].view(len(hidden), -1, hidden.shape[-1])
        owner, position = inputs.seg.nonzero(as_tuple=True)
        queries = self.refill.query(hidden[owner, position - 1])
        amplified = stitch_tiles(self.refill.amplify(image), image_features.layout)
        return SELF1EQueries(amplified, queries, owner)

    # 4 decode_masks ---------------------------------------------------------------------------

    def decode_masks(
        self, image_features: SELF1EFeatures, image_index: Tensor, queries: SELF1EQueries
    ) -> SELF1EMaskOutput:
        """The residual of the language model, refilled into the pixels, against the queries."""
        residual = self.refill.residual(queries.amplified, image_features.restored[image_index])
        masks = self.refill.predict_masks(
            image_features.fine, image_index, residual, queries.queries, queries.owner
        )
        return SELF1EMaskOutput(masks, queries.owner)

    # ------------------------------------------------------------------------------------------

    def forward(
        self,
        image_features: SELF1EFeatures,
        conversations: Sequence[Conversation],
        image_index: Tensor,
    ) -> SELF1EMaskOutput:
        """Steps 2 to 4; no text is generated and no logits over the vocabulary are computed."""
        language_output = self.run_language_model(image_features, conversations, image_index)
        queries = self.build_queries(image_features, language_output)
        return self.decode_masks(image_features, image_index, queries)

    def generate(
        self,
        image_features: SELF1EFeatures,
        conversations: Sequence[Conversation],
        image_index: Tensor,
        *,
        end: int,
        max_tokens: int,
        min_tokens: int = 0,
    ) -> Tensor:
        """Generate text greedily with causal attention: ids (P, L), padded with ``end``, the id
        that ends an answer."""
        inputs = pad_conversations(
            conversations, self.config.padding, image_index.device, left=True
        )
        ids: Tensor = self.internvl.generate(
            inputs_embeds=self._embed(inputs, image_features.tokens[image_index]),
            attention_mask=_left_padded_mask(conversations, inputs.ids),
            do_sample=False,
            max_new_tokens=max_tokens,
            min_new_tokens=min_tokens,
            eos_token_id=end,
            pad_token_id=end,
        )
        return ids


def pad_conversations(
    conversations: Sequence[Conversation],
    padding: int,
    device: torch.device,
    left: bool = False,
) -> SELF1EInputs:
    """Pad to the longest with the id ``padding``."""
    longest = max(len(conversation.ids) for conversation in conversations)

    def padded(values: NDArray[Any], fill: int) -> NDArray[Any]:
        missing = longest - len(values)
        return np.pad(values, (missing, 0) if left else (0, missing), constant_values=fill)

    def stacked(each: list[NDArray[Any]], fill: int) -> Tensor:
        return torch.from_numpy(np.stack([padded(values, fill) for values in each])).to(device)

    ids = stacked([c.ids for c in conversations], padding)
    return SELF1EInputs(
        ids,
        stacked([c.image for c in conversations], False),
        stacked([c.seg for c in conversations], False),
        stacked([c.answer for c in conversations], False),
        ids == padding,
        stacked([np.arange(len(c.ids)) for c in conversations], 0),
    )


def _left_padded_mask(conversations: Sequence[Conversation], ids: Tensor) -> Tensor:
    """(P, L) int64: 1 on the tokens of left-padded conversations."""
    lengths = torch.tensor([len(c.ids) for c in conversations], device=ids.device)
    positions = torch.arange(ids.shape[1], device=ids.device)
    return (positions >= ids.shape[1] - lengths.unsqueeze(1)).long()


def _internvl_config(config: SELF1EConfig) -> InternVLConfig:
    """The config of transformers' InternVL.

    Embeddings and output head are not tied, transformers' default: both are trained.
    """
    vision = InternVLVisionConfig(
        image_size=config.image_size,
        patch_size=config.patch_size,
        hidden_size=config.vision_channels,
        num_hidden_layers=config.vision_layers,
        num_attention_heads=config.vision_heads,
        intermediate_size=config.vision_feedforward,
        attention_bias=True,
        use_mean_pooling=True,  # False would add a final layer norm
    )
    kind = {"qwen2": Qwen2Config, "qwen3": Qwen3Config}[config.language]
    text = kind(
        vocab_size=config.vocabulary,
        hidden_size=config.language_channels,
        intermediate_size=config.language_feedforward,
        num_hidden_layers=config.language_layers,
        num_attention_heads=config.language_heads,
        num_key_value_heads=config.language_kv_heads,
        head_dim=config.language_head_channels,
        max_position_embeddings=config.positions,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        tie_word_embeddings=False,
    )
    # The attention mask is bool, which only this implementation takes.
    return InternVLConfig(
        vision_config=vision,
        text_config=text,
        image_seq_length=config.image_tokens,
        tie_word_embeddings=False,
        attn_implementation="sdpa",
    )
