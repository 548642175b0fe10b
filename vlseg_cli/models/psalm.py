"""PSALM: one language model asks, a Mask2Former decoder answers (Zhang et al., ECCV 2024).

The four steps of every system here: see (pixels to features), read (tokens to hidden states), ask
(queries and conditions from hidden states), answer (masks and scores). See runs once per picture;
the other three once per prompt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PhiConfig, PhiModel

from vlseg_cli.models.psalm_config import PSALMConfig
from vlseg_cli.models.steps import Prefix
from vlseg_cli.nn.connector import SwinConnector
from vlseg_cli.nn.mask_decoder import MLP, MaskDecoder
from vlseg_cli.nn.pixel_decoder import PixelDecoder, PixelFeatures
from vlseg_cli.nn.region_pooling import pool_regions
from vlseg_cli.nn.swin import SwinPyramid
from vlseg_cli.prompts.condition import ConditionKind
from vlseg_cli.prompts.placeholders import Placeholder
from vlseg_cli.prompts.sequence import TokenSequence


@dataclass(slots=True)
class Seen:
    """Step 1 for B pictures. pyramid res2..res5; pixels: decoder features; tokens (B, D, h, w).

    prefixes remembers step 2 up to the picture, which is the same for every prompt of a wording.
    """

    pyramid: tuple[Tensor, ...]
    pixels: PixelFeatures
    tokens: Tensor
    prefixes: dict[tuple[int, ...], Prefix] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tokens)


class Read(NamedTuple):
    """Step 2 for P prompts, positions after the picture: hidden (P, L, D), ids and condition (P, L)
    padded with 0 and -1, embeds (P, L, D) what went in."""

    hidden: Tensor
    ids: Tensor
    condition: Tensor
    embeds: Tensor


class Asked(NamedTuple):
    """Step 3: queries (P, N, d), conditions (P, K, d), present (P, K) bool: rows may have fewer."""

    queries: Tensor
    conditions: Tensor
    present: Tensor


class Answered(NamedTuple):
    """Step 4, a tuple of levels each, the last one counts: scores (P, N, K) logits, pred_masks
    (P, N, H/4, W/4) logits, hidden z (P, N, d)."""

    scores: tuple[Tensor, ...]
    pred_masks: tuple[Tensor, ...]
    hidden: tuple[Tensor, ...]


class PSALM(nn.Module):
    """The published architecture; ``PSALMConfig()`` is the published size."""

    def __init__(self, config: PSALMConfig) -> None:
        super().__init__()
        self.config = config
        width, channels = config.language_channels, config.pixel_channels
        self.vision_tower = SwinPyramid(
            config.swin_embed,
            config.swin_depths,
            config.swin_heads,
            config.swin_window,
            config.swin_drop_path,
        )
        self.connector = SwinConnector(
            self.vision_tower.channels[-1], config.connector_width, width, config.connector_stride
        )
        self.language = PhiModel(_phi_config(config))
        self.lm_head = nn.Linear(width, config.vocabulary, bias=False)
        self.seg_query = nn.Parameter(torch.zeros(config.queries, width))
        self.seg_query_projector = nn.Linear(width, channels)
        self.condition_projectors = nn.ModuleDict(
            {kind: nn.Linear(width, channels) for kind in ConditionKind}
        )
        self.condition_heads = nn.ModuleDict({kind: MLP(channels) for kind in ConditionKind})
        if config.region_source == "pixels":
            self.region_input = nn.Linear(config.mask_channels, width)
        self.pixel_decoder = PixelDecoder(
            self.vision_tower.channels,
            channels,
            config.mask_channels,
            config.pixel_layers,
            config.pixel_heads,
            config.pixel_feedforward,
            config.coordinates,
        )
        self.mask_decoder = MaskDecoder(
            channels,
            config.mask_channels,
            config.queries,
            config.decoder_layers,
            config.decoder_heads,
            config.decoder_feedforward,
        )

    # 1 see ------------------------------------------------------------------------------------

    def see(self, pixel_values: Tensor) -> Seen:
        """(B, 3, H, W) normalised pixels, H and W multiples of 32 -> Seen."""
        pyramid = self.vision_tower(pixel_values)
        return Seen(pyramid, self.pixel_decoder(pyramid), self.connector(pyramid[-1]))

    # 2 read -----------------------------------------------------------------------------------

    def read(
        self,
        seen: Seen,
        sequences: Sequence[TokenSequence],
        pictures: Tensor,
        regions: Tensor | None = None,
    ) -> Read:
        """P prompts, prompt p about picture ``pictures[p]``; all with the same prefix.

        regions (R, H, W) bool: one mask per REGION mark, in the order of prompts and marks.
        """
        prefix = self._read_prefix(seen, sequences[0].prefix)
        ids, condition, padding = _stack(sequences, pictures.device)
        embeds = self.language.embed_tokens(ids.clamp(min=0))
        queries = self.seg_query.to(embeds.dtype)
        count = (ids == Placeholder.QUERIES).sum(1).max()
        mask_token = (ids == Placeholder.QUERIES).unsqueeze(-1)
        embeds = embeds.masked_scatter(mask_token, queries[:count].repeat(len(ids), 1))
        if regions is not None:
            mark = ids == Placeholder.REGION
            owner = pictures[mark.nonzero()[:, 0]]
            vectors = self.region_vectors(seen, owner, regions).to(embeds.dtype)
            embeds = embeds.masked_scatter(mark.unsqueeze(-1), vectors)
        past = DynamicCache()
        for index, layer in enumerate(prefix.cache.layers):
            past.update(layer.keys[pictures], layer.values[pictures], index)
        before = prefix.hidden.shape[1]
        seen_mask = torch.cat([padding.new_ones(len(ids), before), padding], 1)
        hidden = self.language(
            inputs_embeds=embeds,
            attention_mask=seen_mask.long(),
            past_key_values=past,
            use_cache=True,
        ).last_hidden_state
        return Read(hidden, ids, condition, embeds)

    def _read_prefix(self, seen: Seen, ids: tuple[int, ...]) -> Prefix:
        """Read the words before the picture and the picture itself, once per wording."""
        if ids not in seen.prefixes:
            tokens = seen.tokens.flatten(2).transpose(1, 2)
            words = torch.tensor(ids, device=tokens.device, dtype=torch.long)
            text = self.language.embed_tokens(words).expand(len(seen), -1, -1)
            embeds = torch.cat([text.to(tokens.dtype), tokens], 1)
            cache = DynamicCache()
            hidden = self.language(
                inputs_embeds=embeds, past_key_values=cache, use_cache=True
            ).last_hidden_state
            seen.prefixes[ids] = Prefix(embeds, hidden, cache)
        return seen.prefixes[ids]

    def region_vectors(self, seen: Seen, pictures: Tensor, regions: Tensor) -> Tensor:
        """What the language model sees of regions: (R,) pictures, (R, H, W) masks -> (R, D)."""
        if self.config.region_source == "tokens":
            return pool_regions(seen.tokens[pictures], regions)
        pooled = pool_regions(seen.pixels.mask_features[pictures], regions)
        vectors: Tensor = self.region_input(pooled)
        return vectors

    # 3 ask ------------------------------------------------------------------------------------

    def ask(self, read: Read, kind: ConditionKind) -> Asked:
        """Mask tokens become queries; pooled names, sentence or regions become conditions."""
        mark = read.ids == Placeholder.QUERIES
        prompts = len(read.ids)
        tokens = read.hidden[mark].view(prompts, -1, read.hidden.shape[-1])
        owner = torch.arange(int(read.condition.max()) + 1, device=mark.device)
        member = (read.condition.unsqueeze(1) == owner.view(1, -1, 1)).to(read.hidden.dtype)
        size = member.sum(-1, keepdim=True)
        pooled = member @ read.hidden / size.clamp(min=1)
        return Asked(
            self.seg_query_projector(tokens),
            self.condition_projectors[kind](pooled),
            size.squeeze(-1) > 0,
        )

    # 4 answer ---------------------------------------------------------------------------------

    def answer(self, seen: Seen, pictures: Tensor, asked: Asked, kind: ConditionKind) -> Answered:
        """Queries look at their pictures and answer; conditions score the answers."""
        decoded = self.mask_decoder(asked.queries, seen.pixels, pictures)
        head = self.condition_heads[kind]
        scores = tuple(
            (head(z) @ asked.conditions.transpose(1, 2)).masked_fill(
                ~asked.present.unsqueeze(1), float("-inf")
            )
            for z in decoded.hidden
        )
        return Answered(scores, decoded.pred_masks, decoded.hidden)

    # ------------------------------------------------------------------------------------------

    def forward(
        self,
        seen: Seen,
        sequences: Sequence[TokenSequence],
        pictures: Tensor,
        kind: ConditionKind,
        regions: Tensor | None = None,
    ) -> Answered:
        """Steps 2 to 4 in one go."""
        asked = self.ask(self.read(seen, sequences, pictures, regions), kind)
        return self.answer(seen, pictures, asked, kind)


def _phi_config(config: PSALMConfig) -> PhiConfig:
    rope: Mapping[str, object] = {
        "rope_type": "default",
        "rope_theta": 10000.0,
        "partial_rotary_factor": config.rotary_factor,
    }
    return PhiConfig(
        vocab_size=config.vocabulary,
        hidden_size=config.language_channels,
        intermediate_size=config.language_feedforward,
        num_hidden_layers=config.language_layers,
        num_attention_heads=config.language_heads,
        max_position_embeddings=config.positions,
        hidden_act="gelu_new",
        layer_norm_eps=1e-5,
        rope_parameters=dict(rope),
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attention_dropout=0.0,
        pad_token_id=None,
    )


def _stack(
    sequences: Sequence[TokenSequence], device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Right-pad to the longest: ids with 0, condition with -1; the third is True on real tokens."""
    longest = max(len(sequence.ids) for sequence in sequences)
    ids = torch.zeros(len(sequences), longest, dtype=torch.long)
    condition = torch.full((len(sequences), longest), -1)
    real = torch.zeros(len(sequences), longest, dtype=torch.bool)
    for row, sequence in enumerate(sequences):
        length = len(sequence.ids)
        ids[row, :length] = torch.from_numpy(sequence.ids)
        condition[row, :length] = torch.from_numpy(sequence.condition)
        real[row, :length] = True
    return ids.to(device), condition.to(device), real.to(device)
