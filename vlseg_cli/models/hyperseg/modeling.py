"""HyperSeg: two eyes, fine-grained tokens, one language model for pictures and video (Wei et al.).

The four steps of every system here: see (pixels to features), read (tokens to hidden states), ask
(queries and conditions from hidden states), answer (masks and scores). In a video, ``carry`` hands
what was read of one frame's fine-grained tokens to the seeing of the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from transformers import PhiModel

from vlseg_cli.models.hyperseg.config import HyperSegConfig
from vlseg_cli.models.mask2former.modeling import (
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
from vlseg_cli.nn.mask_decoder import MLP, MaskDecoder
from vlseg_cli.nn.perceiver import FineGrainedPerceiver
from vlseg_cli.nn.pixel_decoder import PixelDecoder, PixelFeatures
from vlseg_cli.nn.pooling import pool_cells, pool_regions
from vlseg_cli.nn.reid import InstanceEmbeddings, InstanceHeads
from vlseg_cli.nn.vision_encoders import SiglipTower, SwinPyramid
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import TokenSequence

Wording = tuple[tuple[int, ...], tuple[int, ...] | None]


@dataclass(slots=True)
class HyperSegFeatures:
    """Step 1 for B pictures. pyramid res2..res5; pixels: decoder features; tokens (B, D, h, w) of
    the connector; fine (B, F, D) fine-grained tokens.

    prefixes remembers step 2 up to the last token that depends on the picture alone.
    """

    pyramid: tuple[Tensor, ...]
    pixels: PixelFeatures
    tokens: Tensor
    fine: Tensor
    prefixes: dict[Wording, PrefixCache] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tokens)


class HyperSeg(MaskModel):
    """The published architecture; ``HyperSegConfig()`` is the published size."""

    config: HyperSegConfig

    def __init__(self, config: HyperSegConfig) -> None:
        super().__init__()
        self.config = config
        width, channels = config.language_channels, config.pixel_channels
        self.vision_tower = SwinPyramid(config.swin_config())
        self.clip_tower = SiglipTower(config.siglip_config())
        self.connector = nn.Sequential(
            nn.Linear(config.clip_channels, width), nn.GELU(), nn.Linear(width, width)
        )
        self.perceiver = FineGrainedPerceiver(
            in_channels=self.vision_tower.channels[1:],
            out_channels=width,
            tokens=config.fine_tokens,
            channels=config.fine_channels,
            heads=config.fine_heads,
            head_channels=config.fine_head_channels,
            gated=config.conditional_weight,
        )
        self.language = PhiModel(config.phi_config())
        self.lm_head = nn.Linear(width, config.head_rows, bias=False)
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
        self.instance_heads = InstanceHeads(channels)

    # 1 see ------------------------------------------------------------------------------------

    def encode_image(
        self, pixel_values: Tensor, clip_values: Tensor, carried: Tensor | None = None
    ) -> HyperSegFeatures:
        """The same B pictures twice: (B, 3, H, W) for Swin, H and W multiples of 32, and
        (B, 3, S, S) for SigLIP. carried: what ``carry`` gave for the frames before them."""
        pyramid = self.vision_tower(pixel_values)
        tokens = self.connector(self.clip_tower(clip_values))
        side = self.clip_tower.side
        return HyperSegFeatures(
            pyramid,
            self.pixel_decoder(pyramid),
            tokens.transpose(1, 2).unflatten(2, (side, side)),
            self.perceiver(pyramid[1:], carried),
        )

    # 2 read -----------------------------------------------------------------------------------

    def run_language_model(
        self,
        seen: HyperSegFeatures,
        sequences: Sequence[TokenSequence],
        pictures: Tensor,
        regions: Tensor | None = None,
    ) -> LanguageOutput:
        """P prompts, prompt p about picture ``pictures[p]``; all with the same wording.

        regions (R, D): ``region_vectors`` of each REGION mark, in the order of prompts and marks.
        """
        prefix = self.encode_prefix(seen, sequences[0])
        ids, condition, real = pad_sequences(sequences, pictures.device)
        embeds = embed_tokens(self.language, ids, self.seg_query, regions)
        hidden = run_from_prefix(self.language, prefix, pictures, embeds, real)
        return LanguageOutput(hidden, ids, condition, embeds)

    def encode_prefix(self, seen: HyperSegFeatures, sequence: TokenSequence) -> PrefixCache:
        """Read everything that depends on the pictures alone, once per wording: words, picture,
        words, fine-grained tokens."""
        wording: Wording = (sequence.prefix, sequence.between)
        if wording not in seen.prefixes:
            parts = [self._words(seen, sequence.prefix), seen.tokens.flatten(2).transpose(1, 2)]
            if sequence.between is not None:
                parts += [self._words(seen, sequence.between), seen.fine]
            seen.prefixes[wording] = encode_prefix(self.language, torch.cat(parts, 1))
        return seen.prefixes[wording]

    def _words(self, seen: HyperSegFeatures, ids: tuple[int, ...]) -> Tensor:
        """The same words for each picture: (B, L, D)."""
        words = torch.tensor(ids, device=seen.tokens.device, dtype=torch.long)
        embeds: Tensor = self.language.embed_tokens(words).to(seen.tokens.dtype)
        return embeds.expand(len(seen), -1, -1)

    def carry(self, seen: HyperSegFeatures, sequence: TokenSequence) -> Tensor:
        """Queries for the next frame's perceiver, (B, F, C): what was read of this frame's
        fine-grained tokens, which no prompt can have changed as the language model is causal."""
        hidden = self.encode_prefix(seen, sequence).hidden[:, -self.config.fine_tokens :]
        carried: Tensor = self.perceiver.carry(hidden)
        return carried

    def embed_regions(self, seen: HyperSegFeatures, pictures: Tensor, regions: Tensor) -> Tensor:
        """What the language model sees of regions: (R,) pictures, (R, S, S) masks -> (R, D).

        Masks lie on SigLIP's picture where regions are pooled from tokens, else on Swin's.
        """
        if self.config.region_source == "tokens":
            return pool_cells(seen.tokens[pictures], regions)
        pooled = pool_regions(seen.pixels.mask_features[pictures], regions)
        vectors: Tensor = self.region_input(pooled)
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
        self, seen: HyperSegFeatures, pictures: Tensor, asked: Queries, kind: ConditionKind
    ) -> MaskOutput:
        """Queries look at their pictures and answer; conditions score the answers."""
        decoded = self.mask_decoder(asked.queries, seen.pixels, pictures)
        scores = score_queries(self.condition_heads[kind], decoded.hidden, asked)
        return MaskOutput(scores, decoded.pred_masks, decoded.hidden, decoded.content)

    def instance_embeddings(self, answered: MaskOutput) -> InstanceEmbeddings:
        """Boxes and embeddings of the answers, by which things are followed through a video."""
        identified: InstanceEmbeddings = self.instance_heads(answered.hidden[-1], answered.content)
        return identified

    # ------------------------------------------------------------------------------------------

    def forward(
        self,
        seen: HyperSegFeatures,
        sequences: Sequence[TokenSequence],
        pictures: Tensor,
        kind: ConditionKind,
        regions: Tensor | None = None,
    ) -> MaskOutput:
        """Steps 2 to 4 in one go."""
        asked = self.build_queries(
            self.run_language_model(seen, sequences, pictures, regions), kind
        )
        return self.decode_masks(seen, pictures, asked, kind)
