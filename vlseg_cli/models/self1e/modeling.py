"""SELF1E: the language model itself draws the mask (Zhang et al., arXiv 2603.19026).

The four steps of every system here: see (pixels to features), read (tokens to hidden states), ask
(queries and conditions from hidden states), answer (masks). There is no mask decoder: image tokens
read the one ``[SEG]``, and a dot product between the two is the mask. See runs once per picture.
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
    """Step 1 for B pictures of one layout: tokens (B, L, D) as the language model reads them, tile
    after tile; restored (B, h, w, 4D) what refilling makes of them; fine (B, 4h, 4w, D) pixels."""

    tokens: Tensor
    restored: Tensor
    fine: Tensor
    layout: TileLayout

    def __len__(self) -> int:
        return len(self.tokens)


class SELF1EInputs(NamedTuple):
    """P conversations, padded to the right: ids, positions (P, L); image, seg, spoken, padding
    (P, L) bool. Padding is told by its id, wherever it stands."""

    ids: Tensor
    image: Tensor
    seg: Tensor
    spoken: Tensor
    padding: Tensor
    positions: Tensor


class SELF1ELanguageOutput(NamedTuple):
    """Step 2 for P conversations: what went in and what came out, (P, L, D) each."""

    rows: SELF1EInputs
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

    # 1 see ------------------------------------------------------------------------------------

    def encode_image(self, pixel_values: Tensor, layout: TileLayout = (1, 1)) -> SELF1EFeatures:
        """(B * T, 3, S, S) normalized tiles, T = rows * columns of each picture -> Seen."""
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

    # 2 read -----------------------------------------------------------------------------------

    def run_language_model(
        self, seen: SELF1EFeatures, conversations: Sequence[Conversation], pictures: Tensor
    ) -> SELF1ELanguageOutput:
        """P conversations, conversation p about picture ``pictures[p]``; all in one pass."""
        rows = stack(conversations, self.config.padding, pictures.device)
        embeds = self._embed(rows, seen.tokens[pictures])
        hidden = self.internvl.model.language_model(
            inputs_embeds=embeds,
            attention_mask=two_pathway_mask(rows.image, rows.seg, rows.padding),
            position_ids=rows.positions,
            use_cache=False,
        ).last_hidden_state
        return SELF1ELanguageOutput(rows, embeds, hidden)

    def _embed(self, rows: SELF1EInputs, tokens: Tensor) -> Tensor:
        """Words by their embeddings, image tokens (P, L, D) by what was seen."""
        embeds: Tensor = self.internvl.get_input_embeddings()(rows.ids)
        return embeds.masked_scatter(rows.image.unsqueeze(-1), tokens.to(embeds.dtype))

    # 3 ask ------------------------------------------------------------------------------------

    def build_queries(self, seen: SELF1EFeatures, read: SELF1ELanguageOutput) -> SELF1EQueries:
        """Image tokens, changed by what was asked, and queries read one token before ``[SEG]``."""
        image = read.hidden[read.rows.image].view(len(read.hidden), -1, read.hidden.shape[-1])
        owner, place = read.rows.seg.nonzero(as_tuple=True)
        queries = self.refill.query(read.hidden[owner, place - 1])
        return SELF1EQueries(stitch_tiles(self.refill.amplify(image), seen.layout), queries, owner)

    # 4 answer ---------------------------------------------------------------------------------

    def decode_masks(
        self, seen: SELF1EFeatures, pictures: Tensor, asked: SELF1EQueries
    ) -> SELF1EMaskOutput:
        """What the language model added, refilled into the pixels, against the queries."""
        residual = self.refill.residual(asked.amplified, seen.restored[pictures])
        masks = self.refill.predict_masks(seen.fine, pictures, residual, asked.queries, asked.owner)
        return SELF1EMaskOutput(masks, asked.owner)

    # ------------------------------------------------------------------------------------------

    def forward(
        self, seen: SELF1EFeatures, conversations: Sequence[Conversation], pictures: Tensor
    ) -> SELF1EMaskOutput:
        """Steps 2 to 4 in one go; no word is generated and no vocabulary scored."""
        asked = self.build_queries(seen, self.run_language_model(seen, conversations, pictures))
        return self.decode_masks(seen, pictures, asked)

    def generate(
        self,
        seen: SELF1EFeatures,
        conversations: Sequence[Conversation],
        pictures: Tensor,
        end: int,
        longest: int,
        shortest: int = 0,
    ) -> Tensor:
        """Let the model speak, greedily and causally: ids (P, L), filled up with ``end``.

        end: id that ends an answer. longest, shortest: tokens of an answer.
        """
        rows = stack(conversations, self.config.padding, pictures.device, to_the_left=True)
        ids: Tensor = self.internvl.generate(
            inputs_embeds=self._embed(rows, seen.tokens[pictures]),
            attention_mask=_real(conversations, rows.ids),
            do_sample=False,
            max_new_tokens=longest,
            min_new_tokens=shortest,
            eos_token_id=end,
            pad_token_id=end,
        )
        return ids


def stack(
    conversations: Sequence[Conversation],
    padding: int,
    device: torch.device,
    to_the_left: bool = False,
) -> SELF1EInputs:
    """Pad to the longest with the id ``padding``."""
    longest = max(len(conversation.ids) for conversation in conversations)

    def padded(values: NDArray[Any], fill: int) -> NDArray[Any]:
        beside = longest - len(values)
        return np.pad(values, (beside, 0) if to_the_left else (0, beside), constant_values=fill)

    def stacked(each: list[NDArray[Any]], fill: int) -> Tensor:
        return torch.from_numpy(np.stack([padded(values, fill) for values in each])).to(device)

    ids = stacked([c.ids for c in conversations], padding)
    return SELF1EInputs(
        ids,
        stacked([c.image for c in conversations], False),
        stacked([c.seg for c in conversations], False),
        stacked([c.spoken for c in conversations], False),
        ids == padding,
        stacked([np.arange(len(c.ids)) for c in conversations], 0),
    )


def _real(conversations: Sequence[Conversation], ids: Tensor) -> Tensor:
    """(P, L) int64: 1 on the tokens of conversations that were padded to the left."""
    lengths = torch.tensor([len(c.ids) for c in conversations], device=ids.device)
    places = torch.arange(ids.shape[1], device=ids.device)
    return (places >= ids.shape[1] - lengths.unsqueeze(1)).long()


def _internvl_config(config: SELF1EConfig) -> InternVLConfig:
    """The same for transformers' InternVL.

    Embeddings and output head stay apart: both are trained, and tying them, as transformers does
    when it is not told, would overwrite the head.
    """
    vision = InternVLVisionConfig(
        image_size=config.image_size,
        patch_size=config.patch_size,
        hidden_size=config.vision_channels,
        num_hidden_layers=config.vision_layers,
        num_attention_heads=config.vision_heads,
        intermediate_size=config.vision_feedforward,
        attention_bias=True,
        use_mean_pooling=True,  # the other value would add a last layer norm
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
    # The mask of who sees whom is bool, which this attention alone understands.
    return InternVLConfig(
        vision_config=vision,
        text_config=text,
        image_seq_length=config.image_tokens,
        tie_word_embeddings=False,
        attn_implementation="sdpa",
    )
