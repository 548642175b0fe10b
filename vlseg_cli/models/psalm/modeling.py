"""PSALM: one language model asks, a Mask2Former decoder answers (Zhang et al., ECCV 2024).

The four steps of every system here: see (pixels to features), read (tokens to hidden states), ask
(queries and conditions from hidden states), answer (masks and scores). See runs once per picture;
the other three once per prompt.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import PhiModel

from vlseg_cli.models.mask2former.modeling import (
    ImageFeatures,
    LanguageOutput,
    MaskModel,
    MaskOutput,
    PrefixCache,
    Queries,
    embed_tokens,
    encode_prefix,
    mask_tokens,
    pad_sequences,
    pool_conditions,
    run_from_prefix,
    score_queries,
)
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.nn.mask_decoder import MLP, MaskDecoder
from vlseg_cli.nn.pixel_decoder import PixelDecoder
from vlseg_cli.nn.pooling import pool_regions
from vlseg_cli.nn.vision_encoders import SwinConnector, SwinPyramid
from vlseg_cli.text.placeholders import ConditionKind, Placeholder
from vlseg_cli.text.sequence import TokenSequence


class PSALM(MaskModel):
    """The published architecture; ``PSALMConfig()`` is the published size."""

    config: PSALMConfig

    def __init__(self, config: PSALMConfig) -> None:
        super().__init__()
        self.config = config
        width, channels = config.language_channels, config.pixel_channels
        self.vision_tower = SwinPyramid(config.swin_config())
        self.connector = SwinConnector(
            in_channels=self.vision_tower.channels[-1],
            width=config.connector_width,
            out_channels=width,
            stride=config.connector_stride,
        )
        self.language = PhiModel(config.phi_config())
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
            config.pixel_decoder_config(),
            in_channels=self.vision_tower.channels,
            coordinates=config.coordinates,
        )
        self.mask_decoder = MaskDecoder(config.mask_decoder_config(), queries=config.queries)

    # 1 see ------------------------------------------------------------------------------------

    def encode_image(self, pixel_values: Tensor) -> ImageFeatures:
        """(B, 3, H, W) normalized pixels, H and W multiples of 32 -> Seen."""
        pyramid = self.vision_tower(pixel_values)
        return ImageFeatures(pyramid, self.pixel_decoder(pyramid), self.connector(pyramid[-1]))

    # 2 read -----------------------------------------------------------------------------------

    def run_language_model(
        self,
        seen: ImageFeatures,
        sequences: Sequence[TokenSequence],
        pictures: Tensor,
        regions: Tensor | None = None,
        looks: Tensor | None = None,
    ) -> LanguageOutput:
        """P prompts, prompt p about picture ``pictures[p]``; all with the same prefix.

        regions (R, H, W) bool: one mask per REGION mark, in the order of prompts and marks.
        looks (R, C): instead of regions, what they looked like, here or in another picture.
        """
        prefix = self.encode_prefix(seen, sequences[0].prefix)
        ids, condition, real = pad_sequences(sequences, pictures.device)
        if regions is not None:
            owner = pictures[(ids == Placeholder.REGION).nonzero()[:, 0]]
            looks = self.region_features(seen, owner, regions)
        vectors = None if looks is None else self.embed_regions(looks)
        embeds = embed_tokens(self.language, ids, self.seg_query, vectors)
        hidden = run_from_prefix(self.language, prefix, pictures, embeds, real)
        return LanguageOutput(hidden, ids, condition, embeds)

    def encode_prefix(self, seen: ImageFeatures, ids: tuple[int, ...]) -> PrefixCache:
        """Read the words before the picture and the picture itself, once per wording."""
        if ids not in seen.prefixes:
            tokens = seen.tokens.flatten(2).transpose(1, 2)
            words = torch.tensor(ids, device=tokens.device, dtype=torch.long)
            text = self.language.embed_tokens(words).expand(len(seen), -1, -1)
            embeds = torch.cat([text.to(tokens.dtype), tokens], 1)
            seen.prefixes[ids] = encode_prefix(self.language, embeds)
        return seen.prefixes[ids]

    def region_features(self, seen: ImageFeatures, pictures: Tensor, regions: Tensor) -> Tensor:
        """What regions look like: (R,) pictures, (R, H, W) masks -> (R, C) pooled features."""
        return pool_regions(self.region_feature_map(seen)[pictures], regions)

    def region_feature_map(self, seen: ImageFeatures) -> Tensor:
        """What regions are pooled from: (B, C, h, w)."""
        tokens = self.config.region_source == "tokens"
        return seen.tokens if tokens else seen.pixels.mask_features

    def embed_regions(self, looks: Tensor) -> Tensor:
        """What the language model reads of regions' looks: (R, C) -> (R, D)."""
        if self.config.region_source == "tokens":
            return looks
        vectors: Tensor = self.region_input(looks.to(self.region_input.weight.dtype))
        return vectors

    # 3 ask ------------------------------------------------------------------------------------

    def build_queries(self, read: LanguageOutput, kind: ConditionKind) -> Queries:
        """Mask tokens become queries; pooled names, sentence or regions become conditions."""
        pooled, present = pool_conditions(read)
        return Queries(
            self.seg_query_projector(mask_tokens(read)),
            self.condition_projectors[kind](pooled),
            present,
        )

    # 4 answer ---------------------------------------------------------------------------------

    def decode_masks(
        self, seen: ImageFeatures, pictures: Tensor, asked: Queries, kind: ConditionKind
    ) -> MaskOutput:
        """Queries look at their pictures and answer; conditions score the answers."""
        decoded = self.mask_decoder(asked.queries, seen.pixels, pictures)
        scores = score_queries(self.condition_heads[kind], decoded.hidden, asked)
        return MaskOutput(scores, decoded.pred_masks, decoded.hidden, decoded.content)

    # ------------------------------------------------------------------------------------------

    def forward(
        self,
        seen: ImageFeatures,
        sequences: Sequence[TokenSequence],
        pictures: Tensor,
        kind: ConditionKind,
        regions: Tensor | None = None,
        looks: Tensor | None = None,
    ) -> MaskOutput:
        """Steps 2 to 4 in one go."""
        asked = self.build_queries(
            self.run_language_model(seen, sequences, pictures, regions, looks), kind
        )
        return self.decode_masks(seen, pictures, asked, kind)
