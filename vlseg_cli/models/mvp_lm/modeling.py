"""What MVP-LM's four steps hand to each other."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import PhiModel

from vlseg_cli.models.mask2former.modeling import (
    ImageFeatures,
    LanguageOutput,
    PrefixCache,
    encode_prefix,
    pad_sequences,
    pool_conditions,
    repeat_cache,
)
from vlseg_cli.models.mvp_lm.config import MVPLMConfig
from vlseg_cli.nn.deformable import flatten_maps
from vlseg_cli.nn.mask_decoder import MLP, QueryPacking
from vlseg_cli.nn.mask_dino import (
    BoxDecoder,
    DenoisingQueries,
    QuerySelection,
    gather_locations,
    select_queries,
)
from vlseg_cli.nn.pixel_decoder import MultiScalePixelDecoder
from vlseg_cli.nn.vision_encoders import SwinConnector, SwinPyramid
from vlseg_cli.text.placeholders import ConditionKind, Placeholder
from vlseg_cli.text.sequence import TokenSequence


class MVPLMLanguageOutput(NamedTuple):
    """Step 2 for P prompts, positions after the picture: hidden (P, L, D) of the last layer, mean
    (P, L, D) over the embeddings and all layers, ids and condition (P, L) padded with 0 and -1,
    embeds (P, L, D) what went in."""

    hidden: Tensor
    mean: Tensor
    ids: Tensor
    condition: Tensor
    embeds: Tensor


class InstructionSpan(NamedTuple):
    """What step 3 needs of step 2: pooled (P, K, D) conditions, present (P, K): rows may have
    fewer; summary (P, D): the last hidden state at the end of the answer."""

    pooled: Tensor
    present: Tensor
    summary: Tensor


class MVPLMQueries(NamedTuple):
    """Step 3: conditions (P, K, d), present (P, K); queries (P, N, d) and their boxes (P, N, 4) as
    logits; base (P, N, d): the part of the queries that comes from the summary token, or 0.
    places (P, n): where in the memory the first n queries were found."""

    conditions: Tensor
    present: Tensor
    queries: Tensor
    boxes: Tensor
    base: Tensor
    places: Tensor


class DecoderLevel(NamedTuple):
    """Scores (P, N, K) logits, boxes (P, N, 4) cx, cy, w, h in [0, 1], pred_masks (P, N, H/4,
    W/4) logits."""

    scores: Tensor
    boxes: Tensor
    pred_masks: Tensor


class MVPLMMaskOutput(NamedTuple):
    """Step 4. levels: of the queries as asked, then after each layer; the last one counts. initial:
    the first level once more, with the gradients that teach the selection; denoised: the levels of
    the denoising queries."""

    levels: tuple[DecoderLevel, ...]
    initial: DecoderLevel | None = None
    denoised: tuple[DecoderLevel, ...] = ()


_KINDS = (ConditionKind.CATEGORY, ConditionKind.SENTENCE)


class MVPLM(nn.Module):
    """``MVPLMConfig()`` is the size of the authors' model."""

    def __init__(self, config: MVPLMConfig) -> None:
        super().__init__()
        self.config = config
        width, channels = config.language_channels, config.pixel_channels
        self.vision_tower = SwinPyramid(config.swin_config())
        pyramid = self.vision_tower.channels
        self.connector = SwinConnector(
            in_channels=pyramid[-1],
            width=config.connector_width,
            out_channels=width,
            stride=config.connector_stride,
        )
        self.language = PhiModel(config.phi_config())
        self.lm_head = nn.Linear(width, config.vocabulary, bias=False)
        self.condition_projectors = nn.ModuleDict({k: nn.Linear(width, channels) for k in _KINDS})
        self.condition_heads = nn.ModuleDict({kind: MLP(channels) for kind in _KINDS})
        self.stuff_query = nn.Embedding(config.stuff_queries, channels)
        self.stuff_box = nn.Embedding(config.stuff_queries, 4)
        if config.summary_token is not None:
            self.base_query = nn.Sequential(
                nn.Linear(width, channels),
                nn.ReLU(),
                nn.Linear(channels, config.queries * channels),
            )
            for parameter in self.base_query[-1].parameters():
                nn.init.zeros_(parameter)  # begins as the released code
        self.pixel_decoder = MultiScalePixelDecoder(
            in_channels=pyramid,
            channels=channels,
            mask_channels=config.mask_channels,
            layers=config.pixel_layers,
            heads=config.pixel_heads,
            feedforward=config.pixel_feedforward,
            coordinates=config.coordinates,
        )
        self.selection = QuerySelection(channels)
        self.decoder = BoxDecoder(
            channels, config.decoder_layers, config.decoder_heads, config.decoder_feedforward
        )
        self.mask_head = MLP(channels, 3, config.mask_channels)

    # 1 see ------------------------------------------------------------------------------------

    def encode_image(self, pixel_values: Tensor) -> ImageFeatures:
        """(B, 3, H, W) normalized pixels, H and W multiples of 32 -> Seen, four memory levels."""
        pyramid = self.vision_tower(pixel_values)
        return ImageFeatures(pyramid, self.pixel_decoder(pyramid), self.connector(pyramid[-1]))

    # 2 read -----------------------------------------------------------------------------------

    def run_language_model(
        self, seen: ImageFeatures, sequences: Sequence[TokenSequence], pictures: Tensor
    ) -> MVPLMLanguageOutput:
        """P prompts, prompt p about picture ``pictures[p]``; all with the same prefix."""
        prefix = self.encode_prefix(seen, sequences[0].prefix)
        ids, condition, real = pad_sequences(sequences, pictures.device)
        embeds = self.embed(ids)
        before = prefix.hidden.shape[1]
        told = self.language(
            inputs_embeds=embeds,
            attention_mask=torch.cat([real.new_ones(len(ids), before), real], 1).long(),
            cache=repeat_cache(prefix, pictures),
            use_cache=True,
            output_hidden_states=True,
        )
        mean = torch.stack(told.hidden_states).mean(0)
        return MVPLMLanguageOutput(told.last_hidden_state, mean, ids, condition, embeds)

    def embed(self, ids: Tensor) -> Tensor:
        """(P, L) -> (P, L, D); ``<seg>`` is the summary token, or zeros without one."""
        mark, token = ids == Placeholder.QUERIES, self.config.summary_token
        embeds: Tensor = self.language.embed_tokens(ids.masked_fill(mark, token or 0))
        return embeds if token is not None else embeds.masked_fill(mark.unsqueeze(-1), 0)

    def encode_prefix(self, seen: ImageFeatures, ids: tuple[int, ...]) -> PrefixCache:
        """Read the words before the picture and the picture itself, once per wording."""
        if ids not in seen.prefixes:
            tokens = seen.tokens.flatten(2).transpose(1, 2)
            words = torch.tensor(ids, device=tokens.device, dtype=torch.long)
            text = self.language.embed_tokens(words).expand(len(seen), -1, -1)
            embeds = torch.cat([text.to(tokens.dtype), tokens], 1)
            seen.prefixes[ids] = encode_prefix(self.language, embeds)
        return seen.prefixes[ids]

    def pool(self, read: MVPLMLanguageOutput) -> InstructionSpan:
        """Words and sentences as means over their tokens and all layers."""
        pooled, present = pool_conditions(
            LanguageOutput(read.mean, read.ids, read.condition, read.embeds)
        )
        mark = (read.ids == Placeholder.QUERIES).int().argmax(1)
        return InstructionSpan(pooled, present, read.hidden[torch.arange(len(mark)), mark])

    # 3 ask ------------------------------------------------------------------------------------

    def build_queries(
        self,
        seen: ImageFeatures,
        pictures: Tensor,
        instruction: InstructionSpan,
        kind: ConditionKind,
        stuff: bool = False,
    ) -> MVPLMQueries:
        """Conditions, the places most similar to them, and ``stuff`` queries after those."""
        conditions = self.condition_projectors[kind](instruction.pooled)
        present = instruction.present
        candidates = self.selection(flatten_maps(seen.pixels.memory))
        wanted = [row[one] for row, one in zip(conditions, present, strict=True)]
        if kind is ConditionKind.CATEGORY:
            wanted = [row[:-1] for row in wanted]  # nothing looks like background
        projected = self.condition_heads[kind](candidates.features)
        count = self.config.queries
        if kind is ConditionKind.SENTENCE:
            count = self.config.sentence_queries or count
        places = select_queries(candidates, projected, pictures, wanted, count)
        queries = gather_locations(candidates.features, pictures, places)
        boxes = self.decoder.box_head(queries) + candidates.proposals[places]
        base = torch.zeros_like(queries)
        if self.config.summary_token is not None:
            every = self.base_query(instruction.summary)
            base = every.view(len(queries), -1, queries.shape[2])[:, :count]
        if stuff:
            each = self.stuff_query.weight.expand(len(queries), -1, -1)
            queries = torch.cat([queries, each], 1)
            boxes = torch.cat([boxes, self.stuff_box.weight.expand(len(boxes), -1, -1)], 1)
            base = torch.cat([base, torch.zeros_like(each)], 1)
        return MVPLMQueries(conditions, present, queries, boxes, base, places)

    def project(self, seen: ImageFeatures, kind: ConditionKind) -> tuple[Tensor, Tensor]:
        """All places of the memory in the space of the conditions (B, S, d), and which of them can
        be chosen (S,)."""
        candidates = self.selection(flatten_maps(seen.pixels.memory))
        projected = self.condition_heads[kind](candidates.features)
        return projected, candidates.proposals.isfinite().all(-1)

    # 4 answer ---------------------------------------------------------------------------------

    def decode_masks(
        self,
        seen: ImageFeatures,
        pictures: Tensor,
        asked: MVPLMQueries,
        kind: ConditionKind,
        every: bool = False,
        noise: DenoisingQueries | None = None,
    ) -> MVPLMMaskOutput:
        """Queries look at their pictures and answer. every: all levels, not the last alone."""
        # Only the initial level teaches the selection.
        queries, boxes = asked.queries.detach() + asked.base, asked.boxes.detach()
        if noise is not None:
            queries = torch.cat([noise.queries, queries], 1)
            boxes = torch.cat([noise.boxes, boxes], 1)
        packing = QueryPacking(pictures, len(seen.pixels.mask_features), queries.shape[1])
        packed, around = packing.pack(queries), packing.pack(boxes)
        blocked = packing.separation_mask()
        if noise is not None:
            blocked = blocked | noise.attention_mask(boxes.shape[1]).repeat(
                packing.slots, packing.slots
            )
        memory = flatten_maps(seen.pixels.memory)
        decoded = self.decoder(packed, around, memory, blocked if blocked.any() else None)
        hidden = (packed, *decoded.hidden) if every else decoded.hidden[-1:]
        found = (around.sigmoid(), *decoded.boxes) if every else decoded.boxes[-1:]
        levels = [
            self._predict(seen, packing, z, box, asked, kind)
            for z, box in zip(hidden, found, strict=True)
        ]
        if not every:
            return MVPLMMaskOutput(tuple(levels))
        count = 0 if noise is None else noise.queries.shape[1]
        apart = QueryPacking(pictures, len(seen.pixels.mask_features), asked.queries.shape[1])
        initial = self._predict(
            seen,
            apart,
            apart.pack(asked.queries + asked.base),
            apart.pack(asked.boxes).sigmoid(),
            asked,
            kind,
        )
        return MVPLMMaskOutput(
            tuple(DecoderLevel(*(part[:, count:] for part in level)) for level in levels),
            initial,
            tuple(DecoderLevel(*(part[:, :count] for part in level)) for level in levels if count),
        )

    def _predict(
        self,
        seen: ImageFeatures,
        packing: QueryPacking,
        hidden: Tensor,
        boxes: Tensor,
        asked: MVPLMQueries,
        kind: ConditionKind,
    ) -> DecoderLevel:
        """The heads, one for all levels: hidden (B, T, d) -> scores and masks of the P prompts."""
        z = self.decoder.norm(hidden)
        masks = torch.einsum("btd,bdhw->bthw", self.mask_head(z), seen.pixels.mask_features)
        scores = packing.unpack(self.condition_heads[kind](z)) @ asked.conditions.transpose(1, 2)
        scores = scores.masked_fill(~asked.present.unsqueeze(1), float("-inf"))
        return DecoderLevel(scores, packing.unpack(boxes), packing.unpack(masks))

    # ------------------------------------------------------------------------------------------

    def forward(
        self,
        seen: ImageFeatures,
        sequences: Sequence[TokenSequence],
        pictures: Tensor,
        kind: ConditionKind,
        stuff: bool = False,
    ) -> MVPLMMaskOutput:
        """Steps 2 to 4 in one go."""
        instruction = self.pool(self.run_language_model(seen, sequences, pictures))
        asked = self.build_queries(seen, pictures, instruction, kind, stuff)
        return self.decode_masks(seen, pictures, asked, kind)
