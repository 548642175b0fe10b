"""HRSeg's network: a language model's [SEG] is compared with every proposed mask.

Data flows top to bottom: ``encode_image`` runs once per image; ``run_language_model``,
``build_queries`` and ``decode_masks`` per prompt. LLM-Seg is the same with ``windows`` and
``enhancement_layers`` 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache

from vlseg_cli.models.hrseg.config import OWN_SAM, HRSegConfig
from vlseg_cli.nn.high_resolution import MaskEnhancement, RegionAttention, join_windows
from vlseg_cli.nn.llava import LLaVA, pad_left
from vlseg_cli.nn.mask_fusion import MaskFusion
from vlseg_cli.nn.pooling import pool_masks, upsample
from vlseg_cli.nn.sam import SAM
from vlseg_cli.nn.vision_encoders import DINOv2
from vlseg_cli.text.sequence import TokenSequence


class PerceptionOutput(NamedTuple):
    """DINOv2 features of B images: overview F_g (B, h, w, D), and F_r (B, h, w, D), the detail that
    each overview token attends to in the windows; None without windows."""

    overview: Tensor
    regions: Tensor | None


class HRSegPrefix(NamedTuple):
    """The language model's output up to the image, left-padded: hidden (B, L, D), real (B, L) bool,
    keys and values."""

    hidden: Tensor
    real: Tensor
    cache: DynamicCache


@dataclass(slots=True)
class HRSegFeatures:
    """Step 1 for B images. tokens: LLaVA's image tokens, (L, D) each; masks (B, K, D): a vector per
    proposal; present (B, K) bool: False at padding.

    prefixes caches step 2 up to the image, the same for every prompt with the same wording.
    """

    tokens: list[Tensor]
    masks: Tensor
    present: Tensor
    prefixes: dict[tuple[int, ...], HRSegPrefix] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tokens)


class HRSegLanguageOutput(NamedTuple):
    """Step 2 for P prompts, positions after the image: hidden (P, L, D); ids and condition (P, L)
    padded with 0 and -1."""

    hidden: Tensor
    ids: Tensor
    condition: Tensor

    @property
    def seg_states(self) -> Tensor:
        """(P, D): the hidden state of each prompt that predicts ``[SEG]``."""
        position = (self.condition == 0).int().argmax(1)
        return self.hidden[torch.arange(len(position), device=position.device), position]


class HRSegMaskOutput(NamedTuple):
    """Step 4: similarity in [-1, 1], iop in [0, 1], present bool, all (P, K)."""

    similarity: Tensor
    iop: Tensor
    present: Tensor


class HRSeg(nn.Module):
    """The published architecture; ``HRSegConfig()`` is the published size."""

    def __init__(self, config: HRSegConfig) -> None:
        super().__init__()
        self.config = config
        channels, width = config.channels, config.language_channels
        self.llava = LLaVA(config.llava_config())
        self.lm_head = nn.Linear(width, config.vocabulary, bias=False)
        self.dino = DINOv2(
            width=config.dino_width,
            layers=config.dino_layers,
            heads=config.dino_heads,
            patch=config.dino_patch,
            native=config.dino_native,
        )
        self.dino_projection = nn.Linear(config.dino_width, channels)
        if config.windows:
            self.region_attention = RegionAttention(channels)
        self.enhancement = MaskEnhancement(channels, config.enhancement_layers)
        self.text_projection = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, channels)
        )
        self.fusion = MaskFusion(
            channels, config.fusion_heads, config.fusion_feedforward, config.fusion_layers
        )
        self.embedding_head = nn.Sequential(
            nn.Linear(channels, config.embedding_head),
            nn.ReLU(),
            nn.Linear(config.embedding_head, channels),
        )
        self.iop_head = nn.Sequential(
            nn.Linear(channels, config.iop_head),
            nn.ReLU(),
            nn.Linear(config.iop_head, 1),
            nn.Sigmoid(),
        )
        if config.proposals == OWN_SAM:
            self.sam = SAM(config.sam_sizes())

    # 1 encode_image ---------------------------------------------------------------------------

    def encode_views(self, views: Tensor) -> Tensor:
        """(B, 1 + N², 3, S, S), whole images first, then their windows row by row -> projected
        DINOv2 tokens of each view (B, 1 + N², h, w, D)."""
        tokens: Tensor = self.dino_projection(self.dino(views.flatten(0, 1)))
        return tokens.view(*views.shape[:2], *tokens.shape[1:])

    def attend_to_windows(self, tokens: Tensor) -> PerceptionOutput:
        """Tokens of ``encode_views``: each overview token attends to its region of the windows
        (equations 7 and 8)."""
        overview = tokens[:, 0]
        if not self.config.windows:
            return PerceptionOutput(overview, None)
        detail = join_windows(tokens[:, 1:])
        return PerceptionOutput(overview, self.region_attention(overview, detail))

    def perception(self, views: Tensor) -> PerceptionOutput:
        """High-resolution perception of views as in ``encode_views``."""
        return self.attend_to_windows(self.encode_views(views))

    def hybrid_features(self, perception: PerceptionOutput) -> Tensor:
        """Equation 9: F_h (B, h, w, D)."""
        if perception.regions is None:
            return perception.overview
        gamma = self.config.gamma
        return gamma * perception.overview + (1 - gamma) * perception.regions

    def pool_masks(
        self, perception: PerceptionOutput, hybrid: Tensor, masks: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Equation 10, before enhancement: mask features (B, K, D) and present (B, K) bool."""
        from_regions = self.config.pooled == "regions" and perception.regions is not None
        source = perception.regions if from_regions else hybrid
        assert source is not None
        rows = [
            pool_masks(upsample(one[None], self.config.mask_size)[0], soft).to(one.dtype)
            for one, soft in zip(source.permute(0, 3, 1, 2), masks, strict=True)
        ]
        present = pad_sequence([row.new_ones(len(row)) for row in rows], batch_first=True) > 0
        return pad_sequence(rows, batch_first=True), present

    def encode_masks(
        self, perception: PerceptionOutput, masks: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Enhanced mask features (B, K, D), zeros where present (B, K) is False."""
        hybrid = self.hybrid_features(perception)
        mask_features, present = self.pool_masks(perception, hybrid, masks)
        return self.enhancement(mask_features, hybrid.flatten(1, 2)), present

    def encode_image(
        self, pixels: Tensor, sizes: Tensor, perception: PerceptionOutput, masks: Sequence[Tensor]
    ) -> HRSegFeatures:
        """pixels, sizes: as ``HRSegImages``. masks: soft proposals (K, S, S) of each image."""
        mask_features, present = self.encode_masks(perception, masks)
        return HRSegFeatures(self.llava.image_tokens(pixels, sizes), mask_features, present)

    # 2 run_language_model ---------------------------------------------------------------------

    def run_language_model(
        self,
        image_features: HRSegFeatures,
        sequences: Sequence[TokenSequence],
        image_index: Tensor,
    ) -> HRSegLanguageOutput:
        """P prompts, prompt p about image ``image_index[p]``; all with the same prefix."""
        prefix = self.encode_prefix(image_features, sequences[0].prefix)
        ids, condition, real = _pad(sequences, image_index.device)
        cache = DynamicCache()
        for number, layer in enumerate(prefix.cache.layers):
            cache.update(layer.keys[image_index], layer.values[image_index], number)
        embeds = self.llava.embed(ids).to(prefix.hidden.dtype)
        hidden = self.llava.run(embeds, torch.cat([prefix.real[image_index], real], 1), cache)
        return HRSegLanguageOutput(hidden, ids, condition)

    def encode_prefix(self, image_features: HRSegFeatures, ids: tuple[int, ...]) -> HRSegPrefix:
        """The text before the image and the image itself, once per wording."""
        if ids not in image_features.prefixes:
            device = image_features.masks.device
            text = self.llava.embed(torch.tensor(ids, device=device, dtype=torch.long)[None])[0]
            embeds, real = pad_left([torch.cat([text, one]) for one in image_features.tokens])
            cache = DynamicCache()
            hidden = self.llava.run(embeds, real, cache)
            image_features.prefixes[ids] = HRSegPrefix(hidden, real, cache)
        return image_features.prefixes[ids]

    # 3 build_queries --------------------------------------------------------------------------

    def build_queries(self, language_output: HRSegLanguageOutput) -> Tensor:
        """The hidden state that predicts [SEG], projected: one query per prompt (P, D)."""
        query: Tensor = self.text_projection(language_output.seg_states)
        return query

    # 4 decode_masks ---------------------------------------------------------------------------

    def decode_masks(
        self, image_features: HRSegFeatures, image_index: Tensor, query: Tensor
    ) -> HRSegMaskOutput:
        """Scores of every proposal of a prompt's image."""
        present = image_features.present[image_index]
        fused = self.fusion(image_features.masks[image_index], query, present)
        similarity, iop = self.similarity(query, fused), self.iop_head(fused).squeeze(-1)
        return HRSegMaskOutput(similarity, iop, present)

    def similarity(self, query: Tensor, fused: Tensor) -> Tensor:
        """Cosine of the query (P, D) and each mask's embedding (P, K, D): (P, K)."""
        embedding = self.embedding_head(fused)
        dot: Tensor = (embedding @ query.unsqueeze(-1)).squeeze(-1)
        cosine: Tensor = dot / (embedding.norm(dim=-1) * query.norm(dim=-1, keepdim=True))
        return cosine

    # ------------------------------------------------------------------------------------------

    def forward(
        self,
        image_features: HRSegFeatures,
        sequences: Sequence[TokenSequence],
        image_index: Tensor,
    ) -> HRSegMaskOutput:
        """Steps 2 to 4."""
        language_output = self.run_language_model(image_features, sequences, image_index)
        return self.decode_masks(image_features, image_index, self.build_queries(language_output))


def _pad(sequences: Sequence[TokenSequence], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Right-pad to the longest: ids with 0, condition with -1; the third is False at padding."""
    ids = [torch.from_numpy(sequence.ids) for sequence in sequences]
    condition = [torch.from_numpy(sequence.condition) for sequence in sequences]
    real = [torch.ones(len(one), dtype=torch.bool) for one in ids]
    return (
        pad_sequence(ids, batch_first=True).to(device),
        pad_sequence(condition, batch_first=True, padding_value=-1).to(device),
        pad_sequence(real, batch_first=True).to(device),
    )
