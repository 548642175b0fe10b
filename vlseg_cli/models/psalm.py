"""PSALM: one language model asks, a Mask2Former decoder answers (Zhang et al., ECCV 2024).

The four steps of every system here: see (pixels to features), read (tokens to hidden states), ask
(queries and conditions from hidden states), answer (masks and scores). See runs once per picture;
the other three once per prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from vlseg_cli.models.configs.psalm import PSALMConfig
from vlseg_cli.models.steps import (
    Answered,
    Asked,
    Prefix,
    Read,
    embed,
    mask_tokens,
    pool_conditions,
    read_on,
    read_prefix,
    score,
    stack,
)
from vlseg_cli.nn.connector import SwinConnector
from vlseg_cli.nn.mask_decoder import MLP, MaskDecoder
from vlseg_cli.nn.phi import build_phi
from vlseg_cli.nn.pixel_decoder import PixelDecoder, PixelFeatures
from vlseg_cli.nn.region_pooling import pool_regions
from vlseg_cli.nn.swin import SwinPyramid
from vlseg_cli.prompts.condition import ConditionKind
from vlseg_cli.prompts.placeholders import Placeholder
from vlseg_cli.prompts.sequence import TokenSequence

if TYPE_CHECKING:
    from vlseg_cli.models.configs.mvp_lm import MVPLMConfig


@dataclass(slots=True)
class Seen:
    """Step 1 for B pictures. pyramid res2..res5; pixels: decoder features; tokens (B, D, h, w).

    prefixes remembers step 2 up to the picture, which is the same for every prompt of a wording.
    """

    pyramid: tuple[Tensor, ...]
    pixels: PixelFeatures
    tokens: Tensor
    prefixes: dict[tuple[int, ...], Prefix] = field(default_factory=dict)

    @classmethod
    def noise(cls, batch: int, config: "PSALMConfig | MVPLMConfig", device: torch.device) -> "Seen":
        """Pictures of nothing, as many tokens as real ones have; see ``trainables/words.py``."""
        side = config.image_size // 32 // config.connector_stride
        tokens = torch.randn((batch, config.language_channels, side, side), device=device) * 0.5
        return cls((), PixelFeatures(torch.zeros(batch, 0, device=device), ()), tokens)

    def __len__(self) -> int:
        return len(self.tokens)


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
        self.language = build_phi(
            config.vocabulary,
            width,
            config.language_layers,
            config.language_heads,
            config.language_feedforward,
            config.positions,
            config.rotary_factor,
        )
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
        looks: Tensor | None = None,
    ) -> Read:
        """P prompts, prompt p about picture ``pictures[p]``; all with the same prefix.

        regions (R, H, W) bool: one mask per REGION mark, in the order of prompts and marks.
        looks (R, C): instead of regions, what they looked like, here or in another picture.
        """
        prefix = self.read_prefix(seen, sequences[0].prefix)
        ids, condition, real = stack(sequences, pictures.device)
        if regions is not None:
            owner = pictures[(ids == Placeholder.REGION).nonzero()[:, 0]]
            looks = self.region_looks(seen, owner, regions)
        vectors = None if looks is None else self.look_vectors(looks)
        embeds = embed(self.language, ids, self.seg_query, vectors)
        hidden = read_on(self.language, prefix, pictures, embeds, real)
        return Read(hidden, ids, condition, embeds)

    def read_prefix(self, seen: Seen, ids: tuple[int, ...]) -> Prefix:
        """Read the words before the picture and the picture itself, once per wording."""
        if ids not in seen.prefixes:
            tokens = seen.tokens.flatten(2).transpose(1, 2)
            words = torch.tensor(ids, device=tokens.device, dtype=torch.long)
            text = self.language.embed_tokens(words).expand(len(seen), -1, -1)
            embeds = torch.cat([text.to(tokens.dtype), tokens], 1)
            seen.prefixes[ids] = read_prefix(self.language, embeds)
        return seen.prefixes[ids]

    def region_looks(self, seen: Seen, pictures: Tensor, regions: Tensor) -> Tensor:
        """What regions look like: (R,) pictures, (R, H, W) masks -> (R, C) pooled features."""
        return pool_regions(self.look_features(seen)[pictures], regions)

    def look_features(self, seen: Seen) -> Tensor:
        """What regions are pooled from: (B, C, h, w)."""
        tokens = self.config.region_source == "tokens"
        return seen.tokens if tokens else seen.pixels.mask_features

    def look_vectors(self, looks: Tensor) -> Tensor:
        """What the language model reads of regions' looks: (R, C) -> (R, D)."""
        if self.config.region_source == "tokens":
            return looks
        vectors: Tensor = self.region_input(looks.to(self.region_input.weight.dtype))
        return vectors

    # 3 ask ------------------------------------------------------------------------------------

    def ask(self, read: Read, kind: ConditionKind) -> Asked:
        """Mask tokens become queries; pooled names, sentence or regions become conditions."""
        pooled, present = pool_conditions(read)
        return Asked(
            self.seg_query_projector(mask_tokens(read)),
            self.condition_projectors[kind](pooled),
            present,
        )

    # 4 answer ---------------------------------------------------------------------------------

    def answer(self, seen: Seen, pictures: Tensor, asked: Asked, kind: ConditionKind) -> Answered:
        """Queries look at their pictures and answer; conditions score the answers."""
        decoded = self.mask_decoder(asked.queries, seen.pixels, pictures)
        scores = score(self.condition_heads[kind], decoded.hidden, asked)
        return Answered(scores, decoded.pred_masks, decoded.hidden, decoded.content)

    # ------------------------------------------------------------------------------------------

    def forward(
        self,
        seen: Seen,
        sequences: Sequence[TokenSequence],
        pictures: Tensor,
        kind: ConditionKind,
        regions: Tensor | None = None,
        looks: Tensor | None = None,
    ) -> Answered:
        """Steps 2 to 4 in one go."""
        asked = self.ask(self.read(seen, sequences, pictures, regions, looks), kind)
        return self.answer(seen, pictures, asked, kind)
