"""Samples become a batch that PSALM can learn from; runs in data-loading processes.

Everything that needs no weights happens here: resizing, wording, and the truth at mask resolution.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.mask2former.image_processing import fit_masks, fit_pixels, fit_regions
from vlseg_cli.models.mask2former.prompts import MaskPrompts
from vlseg_cli.models.training import seeded_rng
from vlseg_cli.nn.losses import MaskSampling
from vlseg_cli.schema import Categories, Expression, Query, Question, Region, Regions, Sample
from vlseg_cli.text.sequence import TokenSequence

_SLIVER = 0.2  # of an answer: a category with less of it is not what was meant


class PromptBatch(NamedTuple):
    """Prompts of one kind: sequences (P), their pictures (P,), region masks (R, H, W) or None,
    truth per prompt (M, h, w) in [0, 1], labels per prompt (M,). said: per prompt, how many tokens
    before its mask tokens the model is to say itself; () for none."""

    sequences: list[TokenSequence]
    pictures: Tensor
    regions: Tensor | None
    truth: list[Tensor]
    labels: list[Tensor]
    said: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MaskBatch:
    """pixel_values (B, 3, S, S) and the prompts about them by kind; None where none were asked.

    semantic (B, h, w): index into the collator's names per cell, -1 where unknown.
    meant (P, names): which categories a sentence's answer belongs to, as shares that sum to 1.
    """

    pixel_values: Tensor
    categories: PromptBatch | None
    sentences: PromptBatch | None
    regions: PromptBatch | None
    semantic: Tensor
    meant: Tensor

    def to(self, device: torch.device | str) -> Self:
        """The same batch on a device."""
        moved: dict[str, Any] = {f.name: _move(getattr(self, f.name), device) for f in fields(self)}
        return replace(self, **moved)


def _move(value: Any, device: torch.device | str) -> Any:
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, PromptBatch):
        return PromptBatch(*(_move(entry, device) for entry in value))
    if isinstance(value, list) and value and isinstance(value[0], Tensor):
        return [entry.to(device) for entry in value]
    return value


@dataclass
class MaskCollator:
    """Callable on a sequence of samples. ``names`` are the categories of auxiliary losses;
    ``dense_only`` keeps nothing but what each cell belongs to."""

    prompts: MaskPrompts
    size: int
    sampling: MaskSampling
    names: tuple[str, ...]
    regions_together: bool
    word_dropout: float = 0.02
    dense_only: bool = False

    def __call__(self, samples: Sequence[Sample]) -> MaskBatch:
        pixels = np.stack([fit_pixels(sample.frame, self.size)[0] for sample in samples])
        asked = [(i, query) for i, sample in enumerate(samples) for query in sample.queries]
        of_kind = {
            kind: [(i, q) for i, q in asked if isinstance(q.prompt, kind)]
            for kind in (Categories, Expression | Question, Regions)
        }
        categories, sentences, regions = of_kind.values()
        semantic = semantic_map(len(samples), categories, self.names, self.size)
        if self.dense_only:
            categories, sentences, regions = [], [], []
        sources = [sample.frame.source for sample in samples]
        spoken = self._prompts(sentences, sources)
        return MaskBatch(
            torch.from_numpy(pixels),
            self._prompts(categories, sources),
            spoken,
            self._prompts(self._apart(regions), sources),
            semantic,
            category_shares(semantic, *_answers(spoken), len(self.names)),
        )

    def _apart(self, regions: list[tuple[int, Query]]) -> list[tuple[int, Query]]:
        """Each region its own prompt, if that is how this model is asked."""
        if self.regions_together:
            return regions
        return [(i, alone) for i, query in regions for alone in _each_region(query)]

    def _prompts(self, asked: list[tuple[int, Query]], sources: list[str]) -> PromptBatch | None:
        if not asked:
            return None
        placed = [
            self._place(region)
            for _, query in asked
            if isinstance(query.prompt, Regions)
            for region in query.prompt.regions
        ]
        return PromptBatch(
            [self._sequence(query, sources[i]) for i, query in asked],
            torch.tensor([i for i, _ in asked]),
            torch.from_numpy(np.stack(placed)) if placed else None,
            [self._truth(query) for _, query in asked],
            [torch.from_numpy(query.labels) for _, query in asked],
        )

    def _place(self, region: Region) -> NDArray[np.bool_]:
        """A region on the grid that it is pooled on, (S, S)."""
        placed: NDArray[np.bool_] = fit_regions(region.mask[None], self.size)[0]
        return placed

    def _sequence(self, query: Query, source: str) -> TokenSequence:
        match query.prompt:
            case Categories(names=names):
                return self.prompts.categories(names)
            case Regions(regions=regions):
                return self.prompts.regions(len(regions))
            case Expression(text=text) | Question(text=text):
                return self._sentence(text, source)

    def _sentence(self, text: str, source: str) -> TokenSequence:
        """The sentence, now and then with a word it will not know: users use others, too."""
        sequence = self.prompts.sentence(text)
        unknown = self.prompts.tokenizer.unknown
        if unknown is not None and self.word_dropout:
            rng = seeded_rng(source, text)
            word = (sequence.condition == 0) & (sequence.ids != self.prompts.tokenizer.seg)
            sequence.ids[word & (rng.random(len(word)) < self.word_dropout)] = unknown
        return sequence

    def _truth(self, query: Query) -> Tensor:
        return self.sampling.prepare(torch.from_numpy(fit_masks(query.masks, self.size)))


def semantic_map(
    batch: int, asked: Sequence[tuple[int, Query]], names: Sequence[str], size: int
) -> Tensor:
    """What each cell of stride 4 belongs to, (B, size/4, size/4): an index into ``names``, -1 where
    unknown. asked: prompts of names and the number of the picture each is about."""
    cells = size // 4
    semantic = torch.full((batch, cells, cells), -1)
    index = {name: i for i, name in enumerate(names)}
    for picture, query in asked:
        assert isinstance(query.prompt, Categories)
        center = fit_masks(query.masks, size)[:, 2::4, 2::4]
        for mask, label in zip(center, query.labels, strict=True):
            if (name := query.prompt.names[label]) in index:
                semantic[picture][torch.from_numpy(mask)] = index[name]
    return semantic


def category_shares(
    semantic: Tensor, pictures: Tensor, truths: Sequence[Tensor], names: int
) -> Tensor:
    """Which categories each sentence's answer belongs to, as shares: (P, names).

    pictures (P,), truths: per sentence (M, h, w).
    """
    shares = torch.zeros(len(truths), names)
    for row, (picture, truth) in enumerate(zip(pictures, truths, strict=True)):
        cells = semantic[picture]
        for mask in truth:
            inside = cells[(_at(mask, cells) > 0.5) & (cells >= 0)]
            area = torch.bincount(inside, minlength=names).float()
            # Neighbors through whose cells the edge runs are not meant.
            area[area < _SLIVER * area.sum()] = 0
            shares[row] += area / area.sum().clamp(min=1)
    return shares


def _answers(prompts: PromptBatch | None) -> tuple[Tensor, list[Tensor]]:
    """Pictures and truth of the prompts, none of either without any."""
    if prompts is None:
        return torch.zeros(0, dtype=torch.long), []
    return prompts.pictures, prompts.truth


def _each_region(query: Query) -> list[Query]:
    """A query per region, with the masks that are labeled with it."""
    assert isinstance(query.prompt, Regions)
    alone = []
    for number, region in enumerate(query.prompt.regions):
        masks = query.masks[query.labels == number]
        labels = np.zeros(len(masks), np.int64)
        alone.append(replace(query, prompt=Regions((region,)), masks=masks, labels=labels))
    return alone


def _at(mask: Tensor, cells: Tensor) -> Tensor:
    """A truth mask at the resolution of the semantic map."""
    if mask.shape == cells.shape:
        return mask
    return torch.nn.functional.adaptive_avg_pool2d(mask[None], (cells.shape[0], cells.shape[1]))[0]
