"""Samples become batches for PSALM, and with ``hyperseg/collator.py`` for HyperSeg.

Runs in data-loading processes. Everything that needs no weights happens here: resizing, token
sequences, and the truth at mask resolution.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.mask2former.image_processing import fit_masks, fit_pixels, fit_regions
from vlseg_cli.models.mask2former.prompts import MaskPrompts
from vlseg_cli.models.training import TensorBatch, seeded_rng
from vlseg_cli.nn.losses import MaskSampling
from vlseg_cli.schema import Categories, Expression, Query, Question, Region, Regions, Sample
from vlseg_cli.text.sequence import TokenSequence

_SLIVER = 0.2  # a category with a smaller share of a mask is not counted


class PromptBatch(NamedTuple):
    """Prompts of one kind: sequences (P), their images (P,), region masks (R, H, W) or None,
    truth per prompt (M, h, w) in [0, 1], labels per prompt (M,). generated: per prompt, how many
    tokens before its mask tokens are to be generated; () for none."""

    sequences: list[TokenSequence]
    image_index: Tensor
    regions: Tensor | None
    truth: list[Tensor]
    labels: list[Tensor]
    generated: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MaskBatch(TensorBatch):
    """pixel_values (B, 3, S, S) and the prompts about them by kind; None for a kind without any.

    semantic (B, h, w): index into the collator's names per cell, -1 where unknown.
    category_shares (P, names): of the masks of each sentence, they sum to 1.
    """

    pixel_values: Tensor
    categories: PromptBatch | None
    sentences: PromptBatch | None
    regions: PromptBatch | None
    semantic: Tensor
    category_shares: Tensor


@dataclass
class MaskCollator:
    """Callable on a sequence of samples. ``names`` are the categories of auxiliary losses;
    ``dense_only`` keeps the semantic map alone. word_dropout: probability of an unknown word."""

    prompts: MaskPrompts
    size: int
    sampling: MaskSampling
    names: tuple[str, ...]
    regions_together: bool
    word_dropout: float = 0.02
    dense_only: bool = False

    def __call__(self, samples: Sequence[Sample]) -> MaskBatch:
        pixels = np.stack([fit_pixels(sample.frame, self.size)[0] for sample in samples])
        queries = [(i, query) for i, sample in enumerate(samples) for query in sample.queries]
        categories, sentences, regions = (
            [(i, q) for i, q in queries if isinstance(q.prompt, kind)]
            for kind in (Categories, Expression | Question, Regions)
        )
        semantic = semantic_map(len(samples), categories, self.names, self.size)
        if self.dense_only:
            categories, sentences, regions = [], [], []
        sources = [sample.frame.source for sample in samples]
        if not self.regions_together:
            regions = [(i, single) for i, query in regions for single in _each_region(query)]
        prompts = self._prompts(sentences, sources)
        owners, truths = (prompts.image_index, prompts.truth) if prompts else ((), ())
        return MaskBatch(
            torch.from_numpy(pixels),
            self._prompts(categories, sources),
            prompts,
            self._prompts(regions, sources),
            semantic,
            category_shares(semantic, owners, truths, len(self.names)),
        )

    def _prompts(self, queries: list[tuple[int, Query]], sources: list[str]) -> PromptBatch | None:
        if not queries:
            return None
        fitted = [
            self._fit_region(region)
            for _, query in queries
            if isinstance(query.prompt, Regions)
            for region in query.prompt.regions
        ]
        return PromptBatch(
            [self._sequence(query, sources[i]) for i, query in queries],
            torch.tensor([i for i, _ in queries]),
            torch.from_numpy(np.stack(fitted)) if fitted else None,
            [
                self.sampling.prepare(torch.from_numpy(fit_masks(query.masks, self.size)))
                for _, query in queries
            ],
            [torch.from_numpy(query.labels) for _, query in queries],
        )

    def _fit_region(self, region: Region) -> NDArray[np.bool_]:
        """A region on the grid that it is pooled on, (S, S)."""
        fitted: NDArray[np.bool_] = fit_regions(region.mask[None], self.size)[0]
        return fitted

    def _sequence(self, query: Query, source: str) -> TokenSequence:
        match query.prompt:
            case Categories(names=names):
                return self.prompts.categories(names)
            case Regions(regions=regions):
                return self.prompts.regions(len(regions))
            case Expression(text=text) | Question(text=text):
                return self._sentence(text, source)

    def _sentence(self, text: str, source: str) -> TokenSequence:
        """The sentence, some of its words replaced by the unknown token: users use others, too."""
        sequence = self.prompts.sentence(text)
        unknown = self.prompts.tokenizer.unknown
        if unknown is not None and self.word_dropout:
            rng = seeded_rng(source, text)
            word = (sequence.condition == 0) & (sequence.ids != self.prompts.tokenizer.seg)
            sequence.ids[word & (rng.random(len(word)) < self.word_dropout)] = unknown
        return sequence


def semantic_map(
    batch: int, queries: Sequence[tuple[int, Query]], names: Sequence[str], size: int
) -> Tensor:
    """The category of each cell of stride 4, (B, size/4, size/4): an index into ``names``, -1 where
    unknown. queries: category prompts, each with the index of its image."""
    cells = size // 4
    semantic = torch.full((batch, cells, cells), -1)
    index = {name: i for i, name in enumerate(names)}
    for image, query in queries:
        assert isinstance(query.prompt, Categories)
        center = fit_masks(query.masks, size)[:, 2::4, 2::4]
        for mask, label in zip(center, query.labels, strict=True):
            if (name := query.prompt.names[label]) in index:
                semantic[image][torch.from_numpy(mask)] = index[name]
    return semantic


def category_shares(
    semantic: Tensor, image_index: Iterable[Any], truths: Sequence[Tensor], names: int
) -> Tensor:
    """The shares of the categories in each sentence's masks: (P, names).

    image_index (P,), truths: per sentence (M, h, w).
    """
    shares = torch.zeros(len(truths), names)
    for row, (image, truth) in enumerate(zip(image_index, truths, strict=True)):
        cells = semantic[image]
        for mask in truth:
            inside = cells[(_at(mask, cells) > 0.5) & (cells >= 0)]
            area = torch.bincount(inside, minlength=names).float()
            # Neighbors that share cells with the mask along its edge are not counted.
            area[area < _SLIVER * area.sum()] = 0
            shares[row] += area / area.sum().clamp(min=1)
    return shares


def _each_region(query: Query) -> list[Query]:
    """A query per region, with the masks that are labeled with it."""
    assert isinstance(query.prompt, Regions)
    single = []
    for number, region in enumerate(query.prompt.regions):
        masks = query.masks[query.labels == number]
        labels = np.zeros(len(masks), np.int64)
        single.append(replace(query, prompt=Regions((region,)), masks=masks, labels=labels))
    return single


def _at(mask: Tensor, cells: Tensor) -> Tensor:
    """A truth mask at the resolution of the semantic map."""
    if mask.shape == cells.shape:
        return mask
    return torch.nn.functional.adaptive_avg_pool2d(mask[None], (cells.shape[0], cells.shape[1]))[0]
