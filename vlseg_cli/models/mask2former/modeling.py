"""The four steps that PSALM and HyperSeg share, the values between them, and text generation.

Step 2 is cut in two: the prefix, which depends on the image and the wording alone, runs once and is
cached with its keys and values; the rest of each prompt runs from there. MVP-LM uses the parts.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PhiModel

from vlseg_cli.models.mask2former.config import MaskModelConfig
from vlseg_cli.nn.mask_decoder import MLP, MaskDecoder
from vlseg_cli.nn.pixel_decoder import PixelDecoder, PixelFeatures
from vlseg_cli.nn.vision_encoders import SwinPyramid
from vlseg_cli.text.placeholders import ConditionKind, Placeholder
from vlseg_cli.text.sequence import TokenSequence, pad_rows

MAX_NEW_TOKENS = 64  # of an answer in a conversation


class PrefixCache(NamedTuple):
    """The language model after the prefix: embeds and hidden (B, L, D), keys and values."""

    embeds: Tensor
    hidden: Tensor
    cache: DynamicCache


@dataclass(slots=True)
class ImageFeatures:
    """Step 1 for B images. pyramid: res2..res5; pixels: pixel decoder features; tokens
    (B, D, h, w): image tokens for the language model.

    prefixes: step 2 up to the last position that depends on the image alone, by wording. proposals:
    steps 3 and 4, of a model whose queries depend on the image alone.
    """

    pyramid: tuple[Tensor, ...]
    pixels: PixelFeatures
    tokens: Tensor
    prefixes: dict[tuple[Any, ...], PrefixCache] = field(default_factory=dict)
    proposals: Any = None

    @classmethod
    def noise(cls, batch: int, config: Any, device: torch.device) -> "ImageFeatures":
        """Random tokens, as many as ``config`` has for an image; see ``models/text_training.py``.

        config: a ``MaskModelConfig`` with a ``connector_stride``.
        """
        side = config.image_size // 32 // config.connector_stride
        tokens = torch.randn((batch, config.language_channels, side, side), device=device) * 0.5
        return cls((), PixelFeatures(torch.zeros(batch, 0, device=device), ()), tokens)

    def __len__(self) -> int:
        return len(self.tokens)


class LanguageOutput(NamedTuple):
    """Step 2 for P prompts, positions after the prefix: hidden (P, L, D), ids and condition (P, L)
    padded with 0 and -1, embeds (P, L, D): the inputs."""

    hidden: Tensor
    ids: Tensor
    condition: Tensor
    embeds: Tensor


class Queries(NamedTuple):
    """Step 3: queries (P, N, d), conditions (P, K, d), present (P, K) bool: rows may have fewer."""

    queries: Tensor
    conditions: Tensor
    present: Tensor


class MaskOutput(NamedTuple):
    """Step 4, a tuple of decoder levels each, the last one is the result: scores (P, N, K) logits,
    pred_masks (P, N, H/4, W/4) logits, hidden z (P, N, d). content (P, N, d): the last z before
    its norm."""

    scores: tuple[Tensor, ...]
    pred_masks: tuple[Tensor, ...]
    hidden: tuple[Tensor, ...]
    content: Tensor


class MaskModel(nn.Module):
    """Swin, Phi and a Mask2Former decoder; a system adds its image tokens and region features."""

    config: Any
    vision_tower: SwinPyramid
    language: PhiModel

    def _add_language_model_and_decoders(self, config: MaskModelConfig, head_rows: int) -> None:
        """The modules of steps 2 to 4; head_rows: of the output head. The order of construction
        decides the random weights."""
        width, channels = config.language_channels, config.pixel_channels
        self.language = PhiModel(config.phi_config())
        self.lm_head = nn.Linear(width, head_rows, bias=False)
        self.seg_query = nn.Parameter(torch.zeros(config.queries, width))
        self.seg_query_projector = nn.Linear(width, channels)
        self.condition_projectors = nn.ModuleDict(
            {kind: nn.Linear(width, channels) for kind in ConditionKind}
        )
        self.condition_heads = nn.ModuleDict({kind: MLP(channels) for kind in ConditionKind})
        if self.config.region_source == "pixels":
            self.region_input = nn.Linear(config.mask_channels, width)
        self.pixel_decoder = PixelDecoder(
            config.pixel_decoder_config(),
            in_channels=self.vision_tower.channels,
            coordinates=config.coordinates,
        )
        self.mask_decoder = MaskDecoder(config.mask_decoder_config(), queries=config.queries)

    # Step 2 -----------------------------------------------------------------------------------

    def run_language_model(
        self,
        features: Any,
        sequences: Sequence[TokenSequence],
        image_index: Tensor,
        region_embeddings: Tensor | None = None,
    ) -> LanguageOutput:
        """P prompts with the same prefix; prompt p is about image ``image_index[p]``.

        region_embeddings (R, D): one per REGION placeholder, in the order of prompts.
        """
        prefix = self.encode_prefix(features, sequences[0])
        ids, condition, real = pad_sequences(sequences, image_index.device)
        embeds = embed_tokens(self.language, ids, self.seg_query, region_embeddings)
        hidden = run_from_prefix(self.language, prefix, image_index, embeds, real)
        return LanguageOutput(hidden, ids, condition, embeds)

    def encode_prefix(self, features: Any, sequence: TokenSequence) -> PrefixCache:
        """Everything that depends on the images alone, once per wording."""
        wording = sequence.prefix, sequence.between
        if wording not in features.prefixes:
            embeds = torch.cat(self.prefix_parts(features, sequence), 1)
            features.prefixes[wording] = encode_prefix(self.language, embeds)
        prefix: PrefixCache = features.prefixes[wording]
        return prefix

    @abstractmethod
    def prefix_parts(self, features: Any, sequence: TokenSequence) -> list[Tensor]:
        """Embeddings (B, L_i, D) of the prefix, one after another."""

    def embed_text(self, ids: Sequence[int], features: ImageFeatures) -> Tensor:
        """The same token ids for each image: (B, L, D)."""
        index = torch.tensor(ids, device=features.tokens.device, dtype=torch.long)
        embeds: Tensor = self.language.embed_tokens(index).to(features.tokens.dtype)
        return embeds.expand(len(features), -1, -1)

    @abstractmethod
    def region_features(self, features: Any, image_index: Tensor, regions: Tensor) -> Tensor:
        """Features pooled over regions: (R,) images, (R, H, W) bool masks -> (R, C)."""

    def embed_regions(self, region_features: Tensor) -> Tensor:
        """Pooled features as inputs of the language model: (R, C) -> (R, D)."""
        if self.config.region_source == "tokens":
            return region_features
        embeds: Tensor = self.region_input(region_features.to(self.region_input.weight.dtype))
        return embeds

    # Step 3 -----------------------------------------------------------------------------------

    def build_queries(self, language_output: LanguageOutput, kind: ConditionKind) -> Queries:
        """Mask tokens become queries; pooled names, sentence or regions become conditions."""
        pooled, present = pool_conditions(language_output)
        return Queries(
            self.seg_query_projector(mask_tokens(language_output)),
            self.condition_projectors[kind](pooled),
            present,
        )

    # Step 4 -----------------------------------------------------------------------------------

    def decode_masks(
        self, features: Any, image_index: Tensor, queries: Queries, kind: ConditionKind
    ) -> MaskOutput:
        """The decoder attends from queries to their images' features; conditions score them."""
        decoded = self.mask_decoder(queries.queries, features.pixels, image_index)
        scores = score_queries(self.condition_heads[kind], decoded.hidden, queries)
        return MaskOutput(scores, decoded.pred_masks, decoded.hidden, decoded.content)

    def forward(
        self,
        features: Any,
        sequences: Sequence[TokenSequence],
        image_index: Tensor,
        kind: ConditionKind,
        region_embeddings: Tensor | None = None,
    ) -> MaskOutput:
        """Steps 2 to 4."""
        output = self.run_language_model(features, sequences, image_index, region_embeddings)
        return self.decode_masks(features, image_index, self.build_queries(output, kind), kind)


# The language model -----------------------------------------------------------------------------


def pad_sequences(
    sequences: Sequence[TokenSequence], device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Right-pad to the longest: ids with 0, condition with -1; the third is True on real tokens."""
    ids = torch.from_numpy(pad_rows([sequence.ids for sequence in sequences], 0))
    condition = torch.from_numpy(pad_rows([sequence.condition for sequence in sequences], -1))
    lengths = torch.tensor([len(sequence.ids) for sequence in sequences])
    real = torch.arange(ids.shape[1]) < lengths.unsqueeze(1)
    return ids.to(device), condition.to(device), real.to(device)


def embed_tokens(
    language: PhiModel, ids: Tensor, seg_query: Tensor, region_embeddings: Tensor | None = None
) -> Tensor:
    """Inputs of the language model (P, L, D): ids (P, L), learned mask tokens (N, D) and regions
    (R, D) in the order of their placeholders."""
    embeds: Tensor = language.embed_tokens(ids.clamp(min=0))
    tokens = seg_query.to(embeds.dtype)
    is_mask_token = ids == Placeholder.QUERIES
    count = is_mask_token.sum(1).max()
    embeds = embeds.masked_scatter(is_mask_token.unsqueeze(-1), tokens[:count].repeat(len(ids), 1))
    if region_embeddings is not None:
        is_region = (ids == Placeholder.REGION).unsqueeze(-1)
        embeds = embeds.masked_scatter(is_region, region_embeddings.to(embeds.dtype))
    return embeds


def encode_prefix(language: PhiModel, embeds: Tensor) -> PrefixCache:
    """(B, L, D) up to and with the image -> its hidden states, keys and values."""
    cache = DynamicCache()
    hidden = language(inputs_embeds=embeds, cache=cache, use_cache=True).last_hidden_state
    return PrefixCache(embeds, hidden, cache)


def repeat_cache(prefix: PrefixCache, image_index: Tensor) -> DynamicCache:
    """The cached keys and values of each prompt's image, as a cache of its own."""
    past = DynamicCache()
    for index, layer in enumerate(prefix.cache.layers):
        past.update(layer.keys[image_index], layer.values[image_index], index)
    return past


def run_from_prefix(
    language: PhiModel, prefix: PrefixCache, image_index: Tensor, embeds: Tensor, real: Tensor
) -> Tensor:
    """Continue after the prefix: embeds (P, L, D), real (P, L) bool -> hidden (P, L, D)."""
    visible = torch.cat([real.new_ones(len(embeds), prefix.hidden.shape[1]), real], 1)
    hidden: Tensor = language(
        inputs_embeds=embeds,
        attention_mask=visible.long(),
        cache=repeat_cache(prefix, image_index),
        use_cache=True,
    ).last_hidden_state
    return hidden


def mask_tokens(output: LanguageOutput) -> Tensor:
    """Hidden states at the mask tokens: (P, N, D)."""
    mark = output.ids == Placeholder.QUERIES
    return output.hidden[mark].view(len(output.ids), -1, output.hidden.shape[-1])


def pool_conditions(output: LanguageOutput) -> tuple[Tensor, Tensor]:
    """The mean hidden state of each condition (P, K, D), and which are present (P, K) bool."""
    index = torch.arange(int(output.condition.max()) + 1, device=output.condition.device)
    member = (output.condition.unsqueeze(1) == index.view(1, -1, 1)).to(output.hidden.dtype)
    size = member.sum(-1, keepdim=True)
    return member @ output.hidden / size.clamp(min=1), size.squeeze(-1) > 0


def score_queries(
    head: nn.Module, hidden: Sequence[Tensor], queries: Queries
) -> tuple[Tensor, ...]:
    """Each level's z (P, N, d) against the conditions: logits (P, N, K), -inf where none is."""
    return tuple(
        (head(z) @ queries.conditions.transpose(1, 2)).masked_fill(
            ~queries.present.unsqueeze(1), float("-inf")
        )
        for z in hidden
    )


@torch.no_grad()
def generate_text(
    model: MaskModel,
    prefix: PrefixCache,
    image: int,
    sequence: TokenSequence,
    ended: Callable[[Sequence[int]], bool],
    most: int = MAX_NEW_TOKENS,
) -> list[int]:
    """Greedy decoding after a prompt until the generated ids have ``ended``: at most ``most``
    tokens, and as many as the language model has positions for."""
    device = prefix.hidden.device
    past = repeat_cache(prefix, torch.tensor([image], device=device))
    ids = torch.from_numpy(sequence.ids)[None].to(device)
    room = model.config.positions - prefix.hidden.shape[1] - ids.shape[1]
    generated: list[int] = []
    while len(generated) < min(most, room) and not ended(generated):
        hidden: Tensor = model.language(
            inputs_embeds=embed_tokens(model.language, ids, model.seg_query),
            cache=past,
            use_cache=True,
        ).last_hidden_state
        logits = model.lm_head(hidden[0, -1])[: model.config.vocabulary]
        generated.append(int(logits.argmax()))
        ids = torch.tensor([[generated[-1]]], device=device)
    return generated
