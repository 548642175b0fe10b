"""HRSeg: a language model's <SEG> chooses among proposed masks (Lin et al., ACM MM 2025).

The four steps of every system here: see (pixels and proposals to features), read (tokens to hidden
states), ask (the sentence's vector), answer (two scores per proposal). See runs once per picture.
LLM-Seg is the same with ``windows`` and ``enhancement_layers`` 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache

from vlseg_cli.models.hrseg.config import OWN_SAM, HRSegConfig
from vlseg_cli.nn.dinov2 import DINOv2
from vlseg_cli.nn.high_resolution import MaskEnhancement, RegionAttention, join_windows
from vlseg_cli.nn.llava import LLaVA, pad_left
from vlseg_cli.nn.mask_fusion import MaskFusion
from vlseg_cli.nn.pooling import pool_masks, upsample
from vlseg_cli.nn.sam import SAM
from vlseg_cli.text.sequence import TokenSequence


class PerceptionOutput(NamedTuple):
    """What DINOv2 saw of B pictures: overview F_g (B, h, w, D), and F_r, what each of its tokens
    took from the windows beneath, or None without windows."""

    overview: Tensor
    regions: Tensor | None


class HRSegPrefix(NamedTuple):
    """What the language model made of everything up to the picture: hidden (B, L, D), which of it
    is real (B, L), keys and values."""

    hidden: Tensor
    real: Tensor
    cache: DynamicCache


@dataclass(slots=True)
class HRSegFeatures:
    """Step 1 for B pictures. tokens: what LLaMA reads, (L, D) each; masks (B, K, d): a vector per
    proposal; present (B, K): which of the K there are.

    prefixes remembers step 2 up to the picture, which is the same for every prompt of a wording.
    """

    tokens: list[Tensor]
    masks: Tensor
    present: Tensor
    prefixes: dict[tuple[int, ...], HRSegPrefix] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tokens)


class HRSegLanguageOutput(NamedTuple):
    """Step 2 for P prompts, positions after the picture: hidden (P, L, D); ids and condition (P, L)
    padded with 0 and -1."""

    hidden: Tensor
    ids: Tensor
    condition: Tensor

    @property
    def predicting(self) -> Tensor:
        """(P, D): the state of each prompt that ``[SEG]`` is told from."""
        places = (self.condition == 0).int().argmax(1)
        return self.hidden[torch.arange(len(places), device=places.device), places]


class HRSegMaskOutput(NamedTuple):
    """Step 4: similarity in [-1, 1], iop in [0, 1], present, all (P, K)."""

    similarity: Tensor
    iop: Tensor
    present: Tensor


class HRSeg(nn.Module):
    """The published architecture; ``HRSegConfig()`` is the published size."""

    def __init__(self, config: HRSegConfig) -> None:
        super().__init__()
        self.config = config
        channels, width = config.channels, config.language_channels
        self.llava = LLaVA(config.llava_sizes)
        self.lm_head = nn.Linear(width, config.vocabulary, bias=False)
        self.dino = DINOv2(
            config.dino_width,
            config.dino_layers,
            config.dino_heads,
            config.dino_patch,
            config.dino_native,
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
            self.sam = SAM(config.sam_sizes)

    # 1 see ------------------------------------------------------------------------------------

    def encode_image(
        self, pixels: Tensor, sizes: Tensor, perceived: PerceptionOutput, masks: Sequence[Tensor]
    ) -> HRSegFeatures:
        """pixels, sizes: of LLaVA's pictures. masks: soft proposals (K, S, S) of each picture."""
        described, present = self.describe(perceived, masks)
        return HRSegFeatures(self.llava.image_tokens(pixels, sizes), described, present)

    def perceive(self, views: Tensor) -> PerceptionOutput:
        """(B, 1 + N², 3, S, S): whole pictures first, then their windows row by row."""
        return self.gather(self.encode_views(views))

    def encode_views(self, views: Tensor) -> Tensor:
        """Views as above -> DINOv2's tokens of each, projected: (B, 1 + N², h, w, D)."""
        tokens: Tensor = self.dino_projection(self.dino(views.flatten(0, 1)))
        return tokens.view(*views.shape[:2], *tokens.shape[1:])

    def gather(self, tokens: Tensor) -> PerceptionOutput:
        """Projected tokens of the views (B, 1 + N², h, w, D): each overview token asks its region
        (equations 7 and 8)."""
        overview = tokens[:, 0]
        if not self.config.windows:
            return PerceptionOutput(overview, None)
        return PerceptionOutput(
            overview, self.region_attention(overview, join_windows(tokens[:, 1:]))
        )

    def blend(self, perceived: PerceptionOutput) -> Tensor:
        """Equation 9: hybrid features F_h (B, h, w, D)."""
        if perceived.regions is None:
            return perceived.overview
        gamma = self.config.gamma
        return gamma * perceived.overview + (1 - gamma) * perceived.regions

    def describe(
        self, perceived: PerceptionOutput, masks: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """A vector per proposal: (B, K, D), zeros where ``present`` (B, K) is False."""
        hybrid = self.blend(perceived)
        described, present = self.pool(perceived, hybrid, masks)
        return self.enhancement(described, hybrid.flatten(1, 2)), present

    def pool(
        self, perceived: PerceptionOutput, hybrid: Tensor, masks: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Equation 10: what lies under each mask, before it is enhanced."""
        from_regions = self.config.pooled == "regions" and perceived.regions is not None
        source = perceived.regions if from_regions else hybrid
        assert source is not None
        rows = [
            pool_masks(upsample(one[None], self.config.mask_size)[0], soft).to(one.dtype)
            for one, soft in zip(source.permute(0, 3, 1, 2), masks, strict=True)
        ]
        present = pad_sequence([row.new_ones(len(row)) for row in rows], batch_first=True) > 0
        return pad_sequence(rows, batch_first=True), present

    # 2 read -----------------------------------------------------------------------------------

    def run_language_model(
        self, seen: HRSegFeatures, sequences: Sequence[TokenSequence], pictures: Tensor
    ) -> HRSegLanguageOutput:
        """P prompts, prompt p about picture ``pictures[p]``; all with the same prefix."""
        prefix = self.encode_prefix(seen, sequences[0].prefix)
        ids, condition, real = _stack(sequences, pictures.device)
        past = DynamicCache()
        for index, layer in enumerate(prefix.cache.layers):
            past.update(layer.keys[pictures], layer.values[pictures], index)
        embeds = self.llava.embed(ids).to(prefix.hidden.dtype)
        hidden = self.llava.run(embeds, torch.cat([prefix.real[pictures], real], 1), past)
        return HRSegLanguageOutput(hidden, ids, condition)

    def encode_prefix(self, seen: HRSegFeatures, ids: tuple[int, ...]) -> HRSegPrefix:
        """Read the words before the picture and the picture itself, once per wording."""
        if ids not in seen.prefixes:
            device = seen.masks.device
            words = self.llava.embed(torch.tensor(ids, device=device, dtype=torch.long)[None])[0]
            embeds, real = pad_left([torch.cat([words, tokens]) for tokens in seen.tokens])
            cache = DynamicCache()
            seen.prefixes[ids] = HRSegPrefix(self.llava.run(embeds, real, cache), real, cache)
        return seen.prefixes[ids]

    # 3 ask ------------------------------------------------------------------------------------

    def build_queries(self, read: HRSegLanguageOutput) -> Tensor:
        """The state that predicts <SEG>, projected: (P, d)."""
        asked: Tensor = self.text_projection(read.predicting)
        return asked

    # 4 answer ---------------------------------------------------------------------------------

    def decode_masks(self, seen: HRSegFeatures, pictures: Tensor, asked: Tensor) -> HRSegMaskOutput:
        """Every proposal of a prompt's picture is compared with the prompt."""
        present = seen.present[pictures]
        fused = self.fusion(seen.masks[pictures], asked, present)
        return HRSegMaskOutput(
            self.similarity(asked, fused), self.iop_head(fused).squeeze(-1), present
        )

    def similarity(self, asked: Tensor, fused: Tensor) -> Tensor:
        """Cosine of the text's vector (P, d) and each mask's embedding (P, K, d): (P, K)."""
        embedding = self.embedding_head(fused)
        dot: Tensor = (embedding @ asked.unsqueeze(-1)).squeeze(-1)
        cosine: Tensor = dot / (embedding.norm(dim=-1) * asked.norm(dim=-1, keepdim=True))
        return cosine

    # ------------------------------------------------------------------------------------------

    def forward(
        self, seen: HRSegFeatures, sequences: Sequence[TokenSequence], pictures: Tensor
    ) -> HRSegMaskOutput:
        """Steps 2 to 4 in one go."""
        return self.decode_masks(
            seen, pictures, self.build_queries(self.run_language_model(seen, sequences, pictures))
        )


def _stack(
    sequences: Sequence[TokenSequence], device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Right-pad to the longest: ids with 0, condition with -1; the third is True on real tokens."""
    ids = [torch.from_numpy(sequence.ids) for sequence in sequences]
    condition = [torch.from_numpy(sequence.condition) for sequence in sequences]
    real = [torch.ones(len(one), dtype=torch.bool) for one in ids]
    return (
        pad_sequence(ids, batch_first=True).to(device),
        pad_sequence(condition, batch_first=True, padding_value=-1).to(device),
        pad_sequence(real, batch_first=True).to(device),
    )
