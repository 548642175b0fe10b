"""What the four steps hand to each other, and the parts of them that PSALM and HyperSeg share.

Reading is cut in two: a prefix that depends on the picture alone is read once and remembered with
its keys and values; what is asked is read on from there.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PhiModel

from vlseg_cli.nn.pixel_decoder import PixelFeatures
from vlseg_cli.text.placeholders import ConditionKind, Placeholder
from vlseg_cli.text.sequence import TokenSequence


class PrefixCache(NamedTuple):
    """What the language model made of everything up to the picture: hidden (B, L, D) and its keys
    and values."""

    embeds: Tensor
    hidden: Tensor
    cache: DynamicCache


class PrefixSizes(Protocol):
    """What a configuration says of the image tokens that the language model reads."""

    @property
    def image_size(self) -> int: ...
    @property
    def connector_stride(self) -> int: ...
    @property
    def language_channels(self) -> int: ...


@dataclass(slots=True)
class ImageFeatures:
    """Step 1 for B pictures. pyramid res2..res5; pixels: decoder features; tokens (B, D, h, w).

    prefixes remembers step 2 up to the picture, which is the same for every prompt of a wording.
    """

    pyramid: tuple[Tensor, ...]
    pixels: PixelFeatures
    tokens: Tensor
    prefixes: dict[tuple[int, ...], PrefixCache] = field(default_factory=dict)

    @classmethod
    def noise(cls, batch: int, config: PrefixSizes, device: torch.device) -> "ImageFeatures":
        """Pictures of nothing, as many tokens as real ones have; see ``trainables/words.py``."""
        side = config.image_size // 32 // config.connector_stride
        tokens = torch.randn((batch, config.language_channels, side, side), device=device) * 0.5
        return cls((), PixelFeatures(torch.zeros(batch, 0, device=device), ()), tokens)

    def __len__(self) -> int:
        return len(self.tokens)


class LanguageOutput(NamedTuple):
    """Step 2 for P prompts, positions after the picture: hidden (P, L, D), ids and condition (P, L)
    padded with 0 and -1, embeds (P, L, D) what went in."""

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
    """Step 4, a tuple of levels each, the last one counts: scores (P, N, K) logits, pred_masks
    (P, N, H/4, W/4) logits, hidden z (P, N, d). content (P, N, d): the last z before its norm."""

    scores: tuple[Tensor, ...]
    pred_masks: tuple[Tensor, ...]
    hidden: tuple[Tensor, ...]
    content: Tensor


def pad_sequences(
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


def embed_tokens(
    language: PhiModel, ids: Tensor, mask_tokens: Tensor, embed_regions: Tensor | None = None
) -> Tensor:
    """ids (P, L), learned mask tokens (N, D), regions (R, D) in the order of their marks -> what
    the language model reads, (P, L, D)."""
    embeds: Tensor = language.embed_tokens(ids.clamp(min=0))
    tokens = mask_tokens.to(embeds.dtype)
    count = (ids == Placeholder.QUERIES).sum(1).max()
    is_mask_token = (ids == Placeholder.QUERIES).unsqueeze(-1)
    embeds = embeds.masked_scatter(is_mask_token, tokens[:count].repeat(len(ids), 1))
    if embed_regions is not None:
        mark = (ids == Placeholder.REGION).unsqueeze(-1)
        embeds = embeds.masked_scatter(mark, embed_regions.to(embeds.dtype))
    return embeds


def encode_prefix(language: PhiModel, embeds: Tensor) -> PrefixCache:
    """(B, L, D) up to and with the picture -> what is remembered of it."""
    cache = DynamicCache()
    hidden = language(inputs_embeds=embeds, cache=cache, use_cache=True).last_hidden_state
    return PrefixCache(embeds, hidden, cache)


def repeat_cache(prefix: PrefixCache, pictures: Tensor) -> DynamicCache:
    """The remembered keys and values of each prompt's picture, as a cache of their own."""
    past = DynamicCache()
    for index, layer in enumerate(prefix.cache.layers):
        past.update(layer.keys[pictures], layer.values[pictures], index)
    return past


def run_from_prefix(
    language: PhiModel, prefix: PrefixCache, pictures: Tensor, embeds: Tensor, real: Tensor
) -> Tensor:
    """Go on after the prefix: embeds (P, L, D), real (P, L) bool -> hidden (P, L, D)."""
    before = prefix.hidden.shape[1]
    seen_mask = torch.cat([real.new_ones(len(embeds), before), real], 1)
    hidden: Tensor = language(
        inputs_embeds=embeds,
        attention_mask=seen_mask.long(),
        cache=repeat_cache(prefix, pictures),
        use_cache=True,
    ).last_hidden_state
    return hidden


def mask_tokens(read: LanguageOutput) -> Tensor:
    """Hidden states at the mask tokens: (P, N, D)."""
    mark = read.ids == Placeholder.QUERIES
    return read.hidden[mark].view(len(read.ids), -1, read.hidden.shape[-1])


def pool_conditions(read: LanguageOutput) -> tuple[Tensor, Tensor]:
    """The mean hidden state of each condition (P, K, D), and which there are (P, K) bool."""
    owner = torch.arange(int(read.condition.max()) + 1, device=read.condition.device)
    member = (read.condition.unsqueeze(1) == owner.view(1, -1, 1)).to(read.hidden.dtype)
    size = member.sum(-1, keepdim=True)
    return member @ read.hidden / size.clamp(min=1), size.squeeze(-1) > 0


def score_queries(head: nn.Module, hidden: Sequence[Tensor], asked: Queries) -> tuple[Tensor, ...]:
    """Each level's z (P, N, d) against the conditions: logits (P, N, K), -inf where none is."""
    return tuple(
        (head(z) @ asked.conditions.transpose(1, 2)).masked_fill(
            ~asked.present.unsqueeze(1), float("-inf")
        )
        for z in hidden
    )


MAX_NEW_TOKENS = 64  # of an answer in a conversation, in tokens


class MaskModel(nn.Module):
    """What training and inference need of a network with these four steps; see ``PSALM``."""

    config: Any
    language: PhiModel

    @abstractmethod
    def run_language_model(
        self, seen: Any, sequences: Sequence[TokenSequence], pictures: Tensor, regions: Any = None
    ) -> LanguageOutput:
        """Step 2: P prompts to hidden states."""

    @abstractmethod
    def build_queries(self, read: LanguageOutput, kind: ConditionKind) -> Queries:
        """Step 3: hidden states to queries and conditions."""

    @abstractmethod
    def decode_masks(
        self, seen: Any, pictures: Tensor, asked: Queries, kind: ConditionKind
    ) -> MaskOutput:
        """Step 4: queries to masks and scores."""


class TextGenerator(Protocol):
    """A model with a head for words; its config has ``vocabulary`` and ``positions``."""

    config: Any
    language: PhiModel
    lm_head: nn.Linear
    seg_query: nn.Parameter


@torch.no_grad()
def generate_text(
    model: TextGenerator,
    prefix: PrefixCache,
    picture: int,
    sequence: TokenSequence,
    ended: Callable[[Sequence[int]], bool],
    most: int = MAX_NEW_TOKENS,
) -> list[int]:
    """Go on after a prompt until what was said has ``ended``, for at most ``most`` tokens and as
    many as the language model has positions for."""
    device = prefix.hidden.device
    past = repeat_cache(prefix, torch.tensor([picture], device=device))
    ids = torch.from_numpy(sequence.ids)[None].to(device)
    room = model.config.positions - prefix.hidden.shape[1] - ids.shape[1]
    said: list[int] = []
    while len(said) < min(most, room) and not ended(said):
        hidden: Tensor = model.language(
            inputs_embeds=embed_tokens(model.language, ids, model.seg_query),
            cache=past,
            use_cache=True,
        ).last_hidden_state
        logits = model.lm_head(hidden[0, -1])[: model.config.vocabulary]
        said.append(int(logits.argmax()))
        ids = torch.tensor([[said[-1]]], device=device)
    return said
