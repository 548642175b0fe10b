"""MVP-LM's network: locations of the image that match the conditions become queries.

Data flows top to bottom: ``encode_image`` runs once per image; ``run_language_model``,
``build_queries`` and ``decode_masks`` per prompt.
"""

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
    """Step 2 for P prompts, positions after the image: hidden (P, L, D) of the last layer, mean
    (P, L, D) over the embeddings and all layers, ids and condition (P, L) padded with 0 and -1,
    embeds (P, L, D) the inputs."""

    hidden: Tensor
    mean: Tensor
    ids: Tensor
    condition: Tensor
    embeds: Tensor


class InstructionSpan(NamedTuple):
    """Input of step 3: pooled (P, K, D) conditions, present (P, K) bool: False at padding; summary
    (P, D): the last hidden state at ``<seg>``."""

    pooled: Tensor
    present: Tensor
    summary: Tensor


class MVPLMQueries(NamedTuple):
    """Step 3: conditions (P, K, D), present (P, K); queries (P, N, D) and their boxes (P, N, 4) as
    logits; base (P, N, D): the part of the queries from the summary token, or 0. locations (P, n):
    indices into the memory of the first n queries."""

    conditions: Tensor
    present: Tensor
    queries: Tensor
    boxes: Tensor
    base: Tensor
    locations: Tensor


class DecoderLevel(NamedTuple):
    """Scores (P, N, K) logits, boxes (P, N, 4) cx, cy, w, h in [0, 1], pred_masks (P, N, H/4,
    W/4) logits."""

    scores: Tensor
    boxes: Tensor
    pred_masks: Tensor


class MVPLMMaskOutput(NamedTuple):
    """Step 4. levels: of the queries before the decoder, then after each layer; the last is the
    result. initial: the first level with gradients to the selection; denoised: the levels of the
    denoising queries."""

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

    # 1 encode_image ---------------------------------------------------------------------------

    def encode_image(self, pixel_values: Tensor) -> ImageFeatures:
        """(B, 3, H, W) normalized pixels, H and W multiples of 32 -> features, four memory
        levels."""
        pyramid = self.vision_tower(pixel_values)
        return ImageFeatures(pyramid, self.pixel_decoder(pyramid), self.connector(pyramid[-1]))

    # 2 run_language_model ---------------------------------------------------------------------

    def run_language_model(
        self,
        image_features: ImageFeatures,
        sequences: Sequence[TokenSequence],
        image_index: Tensor,
    ) -> MVPLMLanguageOutput:
        """P prompts, prompt p about image ``image_index[p]``; all with the same prefix."""
        prefix = self.encode_prefix(image_features, sequences[0].prefix)
        ids, condition, real = pad_sequences(sequences, image_index.device)
        embeds = self.embed(ids)
        before = prefix.hidden.shape[1]
        output = self.language(
            inputs_embeds=embeds,
            attention_mask=torch.cat([real.new_ones(len(ids), before), real], 1).long(),
            cache=repeat_cache(prefix, image_index),
            use_cache=True,
            output_hidden_states=True,
        )
        mean = torch.stack(output.hidden_states).mean(0)
        return MVPLMLanguageOutput(output.last_hidden_state, mean, ids, condition, embeds)

    def embed(self, ids: Tensor) -> Tensor:
        """(P, L) -> (P, L, D); ``<seg>`` is the summary token, or zeros without one."""
        mark, token = ids == Placeholder.QUERIES, self.config.summary_token
        embeds: Tensor = self.language.embed_tokens(ids.masked_fill(mark, token or 0))
        return embeds if token is not None else embeds.masked_fill(mark.unsqueeze(-1), 0)

    def encode_prefix(self, image_features: ImageFeatures, ids: tuple[int, ...]) -> PrefixCache:
        """The text before the image and the image itself, once per wording."""
        if ids not in image_features.prefixes:
            tokens = image_features.tokens.flatten(2).transpose(1, 2)
            prefix = torch.tensor(ids, device=tokens.device, dtype=torch.long)
            text = self.language.embed_tokens(prefix).expand(len(image_features), -1, -1)
            embeds = torch.cat([text.to(tokens.dtype), tokens], 1)
            image_features.prefixes[ids] = encode_prefix(self.language, embeds)
        return image_features.prefixes[ids]

    def pool(self, output: MVPLMLanguageOutput) -> InstructionSpan:
        """Names and sentences as means over their tokens and all layers."""
        pooled, present = pool_conditions(
            LanguageOutput(output.mean, output.ids, output.condition, output.embeds)
        )
        mark = (output.ids == Placeholder.QUERIES).int().argmax(1)
        return InstructionSpan(pooled, present, output.hidden[torch.arange(len(mark)), mark])

    # 3 build_queries --------------------------------------------------------------------------

    def build_queries(
        self,
        image_features: ImageFeatures,
        image_index: Tensor,
        instruction: InstructionSpan,
        kind: ConditionKind,
        stuff: bool = False,
    ) -> MVPLMQueries:
        """Conditions, queries at the locations most similar to them, then ``stuff`` queries."""
        conditions = self.condition_projectors[kind](instruction.pooled)
        present = instruction.present
        candidates = self.selection(flatten_maps(image_features.pixels.memory))
        each = [row[one] for row, one in zip(conditions, present, strict=True)]
        if kind is ConditionKind.CATEGORY:
            each = [row[:-1] for row in each]  # without background
        projected = self.condition_heads[kind](candidates.features)
        count = self.config.queries
        if kind is ConditionKind.SENTENCE:
            count = self.config.sentence_queries or count
        locations = select_queries(candidates, projected, image_index, each, count)
        queries = gather_locations(candidates.features, image_index, locations)
        boxes = self.decoder.box_head(queries) + candidates.proposals[locations]
        base = torch.zeros_like(queries)
        if self.config.summary_token is not None:
            base = self.base_query(instruction.summary)
            base = base.view(len(queries), -1, queries.shape[2])[:, :count]
        if stuff:
            learned = self.stuff_query.weight.expand(len(queries), -1, -1)
            queries = torch.cat([queries, learned], 1)
            boxes = torch.cat([boxes, self.stuff_box.weight.expand(len(boxes), -1, -1)], 1)
            base = torch.cat([base, torch.zeros_like(learned)], 1)
        return MVPLMQueries(conditions, present, queries, boxes, base, locations)

    def project(self, image_features: ImageFeatures, kind: ConditionKind) -> tuple[Tensor, Tensor]:
        """All locations of the memory in the space of the conditions (B, S, D), and which of them
        are candidates (S,) bool."""
        candidates = self.selection(flatten_maps(image_features.pixels.memory))
        projected = self.condition_heads[kind](candidates.features)
        return projected, candidates.proposals.isfinite().all(-1)

    # 4 decode_masks ---------------------------------------------------------------------------

    def decode_masks(
        self,
        image_features: ImageFeatures,
        image_index: Tensor,
        queries: MVPLMQueries,
        kind: ConditionKind,
        all_levels: bool = False,
        noise: DenoisingQueries | None = None,
    ) -> MVPLMMaskOutput:
        """Scores, boxes and masks of the queries. all_levels: for training, instead of the last."""
        # Only the initial level has gradients to the selection.
        content, boxes = queries.queries.detach() + queries.base, queries.boxes.detach()
        if noise is not None:
            content = torch.cat([noise.queries, content], 1)
            boxes = torch.cat([noise.boxes, boxes], 1)
        batch = len(image_features.pixels.mask_features)
        packing = QueryPacking(image_index, batch, content.shape[1])
        packed, references = packing.pack(content), packing.pack(boxes)
        blocked = packing.separation_mask()
        if noise is not None:
            blocked = blocked | noise.attention_mask(boxes.shape[1]).repeat(
                packing.slots, packing.slots
            )
        memory = flatten_maps(image_features.pixels.memory)
        decoded = self.decoder(packed, references, memory, blocked if blocked.any() else None)
        hidden = (packed, *decoded.hidden) if all_levels else decoded.hidden[-1:]
        found = (references.sigmoid(), *decoded.boxes) if all_levels else decoded.boxes[-1:]
        levels = [
            self._predict(image_features, packing, z, box, queries, kind)
            for z, box in zip(hidden, found, strict=True)
        ]
        if not all_levels:
            return MVPLMMaskOutput(tuple(levels))
        count = 0 if noise is None else noise.queries.shape[1]
        ordinary = QueryPacking(image_index, batch, queries.queries.shape[1])
        initial = self._predict(
            image_features,
            ordinary,
            ordinary.pack(queries.queries + queries.base),
            ordinary.pack(queries.boxes).sigmoid(),
            queries,
            kind,
        )
        return MVPLMMaskOutput(
            tuple(DecoderLevel(*(part[:, count:] for part in level)) for level in levels),
            initial,
            tuple(DecoderLevel(*(part[:, :count] for part in level)) for level in levels if count),
        )

    def _predict(
        self,
        image_features: ImageFeatures,
        packing: QueryPacking,
        hidden: Tensor,
        boxes: Tensor,
        queries: MVPLMQueries,
        kind: ConditionKind,
    ) -> DecoderLevel:
        """The heads, shared by all levels: packed hidden (B, T, D) -> outputs of the P prompts."""
        z, features = self.decoder.norm(hidden), image_features.pixels.mask_features
        masks = torch.einsum("btd,bdhw->bthw", self.mask_head(z), features)
        scores = packing.unpack(self.condition_heads[kind](z)) @ queries.conditions.transpose(1, 2)
        scores = scores.masked_fill(~queries.present.unsqueeze(1), float("-inf"))
        return DecoderLevel(scores, packing.unpack(boxes), packing.unpack(masks))

    # ------------------------------------------------------------------------------------------

    def forward(
        self,
        image_features: ImageFeatures,
        sequences: Sequence[TokenSequence],
        image_index: Tensor,
        kind: ConditionKind,
        stuff: bool = False,
    ) -> MVPLMMaskOutput:
        """Steps 2 to 4."""
        output = self.run_language_model(image_features, sequences, image_index)
        queries = self.build_queries(image_features, image_index, self.pool(output), kind, stuff)
        return self.decode_masks(image_features, image_index, queries, kind)
