"""PSALM (Zhang et al., ECCV 2024): a language model builds queries for a Mask2Former decoder.

The four steps in the order of the data; step 1 runs once per image, the others once per prompt.
Steps 2 to 4 are shared with HyperSeg and stand in ``mask2former/modeling.py``.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vlseg_cli.models.mask2former.modeling import (
    ImageFeatures,
    LanguageOutput,
    MaskModel,
    MaskOutput,
    Queries,
    pool_conditions,
    score_queries,
)
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.nn.boxes import mask_boxes
from vlseg_cli.nn.mask_decoder import DecodedQueries
from vlseg_cli.nn.pixel_decoder import FineMaskFeatures
from vlseg_cli.nn.pooling import pool_regions
from vlseg_cli.nn.proposal_selection import ProposalSelector, ProposalSet
from vlseg_cli.nn.vision_encoders import SwinConnector, SwinPyramid
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import TokenSequence


class ImageProposals(NamedTuple):
    """The proposals of B images: decoded queries, their mask logits at stride 4 (B, N, h, w), and
    as the selector takes them: appearance (B, N, D) and everything."""

    decoded: DecodedQueries
    coarse_masks: Tensor
    appearance: Tensor
    described: ProposalSet

    def output_for(self, image_index: Tensor, scores: tuple[Tensor, ...]) -> MaskOutput:
        """The last level for P prompts about images ``image_index`` (P,)."""
        return MaskOutput(
            scores,
            (rows_of(self.decoded.pred_masks[-1], image_index),),
            (rows_of(self.decoded.hidden[-1], image_index),),
            rows_of(self.decoded.content, image_index),
        )


def rows_of(values: Tensor, index: Tensor) -> Tensor:
    """``values[index]``, without a copy where all prompts are about one image."""
    if len(values) == 1:
        return values.expand(len(index), *values.shape[1:])
    return values[index]


class PSALM(MaskModel):
    """``PSALMConfig()`` is the published size."""

    config: PSALMConfig

    def __init__(self, config: PSALMConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_tower = SwinPyramid(config.swin_config())
        self.connector = SwinConnector(
            in_channels=self.vision_tower.channels[-1],
            width=config.connector_width,
            out_channels=config.language_channels,
            stride=config.connector_stride,
        )
        self._add_language_model_and_decoders(config, config.vocabulary)
        if config.mask_stride == 2:
            self.fine_features = FineMaskFeatures(config.mask_channels)
        if config.selection_layers:
            self.selector = ProposalSelector(
                query_channels=config.pixel_channels,
                feature_channels=config.mask_channels,
                text_channels=config.language_channels,
                channels=config.selection_channels,
                heads=config.decoder_heads,
                layers=config.selection_layers,
            )

    def encode_image(self, pixel_values: Tensor) -> ImageFeatures:
        """Step 1: (B, 3, H, W) normalized pixels, H and W multiples of 32."""
        pyramid = self.vision_tower(pixel_values)
        pixels = self.pixel_decoder(pyramid)
        if self.config.mask_stride == 2:
            fine = self.fine_features(pixel_values, pixels.mask_features)
            pixels = pixels._replace(fine=fine)
        return ImageFeatures(pyramid, pixels, self.connector(pyramid[-1]))

    def prefix_parts(self, features: ImageFeatures, sequence: TokenSequence) -> list[Tensor]:
        """Step 2, the prefix: text, then image tokens, then the mask tokens if they come first."""
        tokens = features.tokens.flatten(2).transpose(1, 2)
        parts = [self.embed_text(sequence.prefix, features), tokens]
        if self.config.proposals_first:
            parts.append(self.seg_query.to(tokens.dtype).expand(len(features), -1, -1))
        return parts

    def region_features(
        self, features: ImageFeatures, image_index: Tensor, regions: Tensor
    ) -> Tensor:
        """Step 2, regions: (R,) images, (R, H, W) masks on the input's grid -> (R, C)."""
        return pool_regions(self.region_feature_map(features)[image_index], regions)

    def region_feature_map(self, features: ImageFeatures) -> Tensor:
        """The map that regions are pooled from: (B, C, h, w)."""
        tokens = self.config.region_source == "tokens"
        return features.tokens if tokens else features.pixels.mask_features

    def forward(
        self,
        features: ImageFeatures,
        sequences: Sequence[TokenSequence],
        image_index: Tensor,
        kind: ConditionKind,
        region_embeddings: Tensor | None = None,
    ) -> MaskOutput:
        """Steps 2 to 4."""
        if not self.config.proposals_first:
            return super().forward(features, sequences, image_index, kind, region_embeddings)
        output = self.run_language_model(features, sequences, image_index, region_embeddings)
        proposals = self.propose(features, sequences[0])
        if kind is ConditionKind.CATEGORY:
            scores = self.score_names(proposals, output, image_index)
        else:
            scores = (self.select(proposals, output, image_index).unsqueeze(-1),)
        return proposals.output_for(image_index, scores)

    # Proposals that depend on the image alone --------------------------------------------------

    def propose(self, features: ImageFeatures, sequence: TokenSequence) -> ImageProposals:
        """Steps 3 and 4 for the mask tokens of each image's prefix, once per image."""
        if features.proposals is None:
            hidden = self.encode_prefix(features, sequence).hidden[:, -self.config.queries :]
            every = torch.arange(len(features), device=hidden.device)
            queries = self.seg_query_projector(hidden)
            decoded = self.mask_decoder(queries, features.pixels, every)
            features.proposals = self._describe(features, decoded)
        proposals: ImageProposals = features.proposals
        return proposals

    def _describe(self, features: ImageFeatures, decoded: DecodedQueries) -> ImageProposals:
        """Fine masks, and what the selector sees; masks are not learned from what it chooses."""
        coarse, mask_features = decoded.pred_masks[-1], features.pixels.mask_features
        if features.pixels.fine is not None:
            predictor = self.mask_decoder.decoder.mask_predictor
            weights = predictor.mask_embedder(decoded.hidden[-1])
            fine = torch.einsum("bnd,bdhw->bnhw", weights, features.pixels.fine)
            decoded = decoded._replace(
                hidden=(*decoded.hidden, decoded.hidden[-1]),
                pred_masks=(*decoded.pred_masks, fine),
            )
        inside = (coarse.detach() > 0).to(mask_features.dtype)
        area = inside.sum((2, 3))
        pooled = torch.einsum("bnhw,bdhw->bnd", inside, mask_features)
        pooled = pooled / area.clamp(min=1).unsqueeze(-1)
        boxes = mask_boxes(inside.flatten(0, 1)).view(*inside.shape[:2], 4)
        boxes = boxes.to(pooled.dtype) * (area > 0).unsqueeze(-1)
        share = area / (inside.shape[2] * inside.shape[3])
        appearance = self.selector.appearance(decoded.hidden[-1], pooled)
        described = self.selector.describe(appearance, boxes, share)
        return ImageProposals(decoded, coarse, appearance, described)

    def score_names(
        self, proposals: ImageProposals, output: LanguageOutput, image_index: Tensor
    ) -> tuple[Tensor, ...]:
        """Class logits (P, N, K) of each level."""
        kind = ConditionKind.CATEGORY
        pooled, present = pool_conditions(output)
        conditions = self.condition_projectors[kind](pooled)
        hidden = [z[image_index] for z in proposals.decoded.hidden]
        return score_queries(
            self.condition_heads[kind], hidden, Queries(hidden[0], conditions, present)
        )

    def select(
        self, proposals: ImageProposals, output: LanguageOutput, image_index: Tensor
    ) -> Tensor:
        """Logits (P, N): whether a proposal is meant by the sentence or region of a prompt."""
        logits: Tensor = self.selector(
            proposals.described, image_index, output.hidden, output.condition == 0
        )
        return logits
