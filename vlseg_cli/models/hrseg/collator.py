"""Samples become a batch for HRSeg; runs in data-loading processes.

Everything that needs no trained weights happens here: views, wording, the proposals (computed once
per image if ``VLSEG_CACHE`` names a folder) and their targets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from vlseg_cli.models.hrseg.config import HRSegConfig
from vlseg_cli.models.hrseg.criterion import proposal_targets
from vlseg_cli.models.hrseg.image_processing import HRSegImages, fit_llava, fit_views, soft_masks
from vlseg_cli.models.hrseg.prompts import IGNORED, HRSegPrompts, HRSegTurn
from vlseg_cli.models.proposals.base import OpenProposer, ProposalOptions, Proposer
from vlseg_cli.models.proposals.cache import FeatureCache
from vlseg_cli.models.training import TensorBatch, seeded_rng
from vlseg_cli.schema import Categories, Expression, Frame, Query, Question, Sample
from vlseg_cli.text.sequence import TokenSequence

_SLIVER = 0.2  # of a target's area: a category that covers less of it is not its category


@dataclass(frozen=True, slots=True)
class HRSegSupervision:
    """P conversations: sequences, labels (P, L) padded with -100, image_index (P,); iou and iop
    (P, K), the targets of each proposal; category_shares (P, names), fractions that sum to 1."""

    sequences: list[TokenSequence]
    labels: Tensor
    image_index: Tensor
    iou: Tensor
    iop: Tensor
    category_shares: Tensor


@dataclass(frozen=True, slots=True)
class HRSegBatch(TensorBatch):
    """B images: inputs of LLaVA and DINOv2 (views), soft proposals (K, S, S) of each, supervision.

    window_names, overview_names: index of the category of each token in the windows' joined map and
    in the overview, -1 where unknown. Without supervision there are no proposals either.
    """

    images: HRSegImages
    views: Tensor
    masks: list[Tensor]
    supervision: HRSegSupervision | None
    window_names: Tensor
    overview_names: Tensor


@dataclass
class HRSegCollator:
    """Callable on a sequence of samples.

    names: the categories of auxiliary losses. category_prompts: number of an image's categories
    that become prompts of their own. windows: values that a batch's N is drawn from. options: the
    source of proposals is the configuration's if they name none. dense_only: no prompts.
    """

    config: HRSegConfig
    prompts: HRSegPrompts
    names: tuple[str, ...]
    category_prompts: int
    windows: tuple[int, ...]
    options: ProposalOptions
    open_proposer: OpenProposer
    dense_only: bool = False

    def __call__(self, samples: Sequence[Sample]) -> HRSegBatch:
        config, frames = self.config, [sample.frame for sample in samples]
        queries = [] if self.dense_only else [self._queries(sample) for sample in samples]
        proposals = [self._proposals(frame) for frame in frames[: len(queries)]]
        windows = self._windows(samples)
        overview, joined = config.grid, config.grid * max(1, windows)
        return HRSegBatch(
            fit_llava(frames, config),
            torch.stack([fit_views(frame, config.view, windows) for frame in frames]),
            [soft_masks(masks, config.mask_size) for masks in proposals],
            self._supervision(samples, queries, proposals) if any(queries) else None,
            torch.stack([cell_names(sample, self.names, joined) for sample in samples]),
            torch.stack([cell_names(sample, self.names, overview) for sample in samples]),
        )

    def _windows(self, samples: Sequence[Sample]) -> int:
        """N of a batch, a function of its first image: the same after training resumes."""
        return self.windows[seeded_rng(samples[0].frame.source).integers(len(self.windows))]

    def _proposals(self, frame: Frame) -> NDArray[np.bool_]:
        source = self.options.source or self.config.proposals
        proposer = _proposer(source, self.options.engine, self.open_proposer)
        store = FeatureCache(self.options.cache)
        return store.proposals(frame, proposer).largest(self.config.max_proposals)

    def _supervision(
        self,
        samples: Sequence[Sample],
        queries: Sequence[Sequence[Query]],
        proposals: Sequence[NDArray[np.bool_]],
    ) -> HRSegSupervision:
        rows = [(image, query) for image, each in enumerate(queries) for query in each]
        turns = [self._turn(query, samples[image].frame.source) for image, query in rows]
        targets = [
            proposal_targets(np.stack([query.masks.any(0) for query in each]), masks)
            for each, masks in zip(queries, proposals, strict=True)
            if each
        ]
        width = max(len(masks) for masks in proposals)
        return HRSegSupervision(
            [turn.sequence for turn in turns],
            _padded([turn.labels for turn in turns], IGNORED),
            torch.tensor([image for image, _ in rows]),
            _padded([row for one in targets for row in one.iou], 0, width).float(),
            _padded([row for one in targets for row in one.iop], 0, width).float(),
            torch.stack([category_shares(samples[i], query, self.names) for i, query in rows]),
        )

    def _queries(self, sample: Sample) -> list[Query]:
        """Texts with a target, and some of the image's categories as expressions."""
        texts = [q for q in sample.queries if isinstance(q.prompt, Expression | Question)]
        rng = seeded_rng(sample.frame.source)
        named = [one for query in _category_queries(sample) for one in _by_name(query)]
        drawn = rng.permutation(len(named))[: self.category_prompts].tolist()
        return [q for q in (*texts, *(named[index] for index in drawn)) if len(q.masks)]

    def _turn(self, query: Query, source: str) -> HRSegTurn:
        assert isinstance(query.prompt, Expression | Question)
        text = query.prompt.text
        rng = seeded_rng(source, text)
        if isinstance(query.prompt, Question):
            return self.prompts.drawn_question(text, rng)
        return self.prompts.drawn_phrase(text, rng)


@cache
def _proposer(source: str, engine: str, open_proposer: OpenProposer) -> Proposer:
    """Opened once per process, on the CPU: workers share no GPU with the model in training."""
    return open_proposer(source, "cpu", engine)


def cell_names(sample: Sample, names: Sequence[str], cells: int) -> Tensor:
    """(cells, cells) int64: index into ``names`` at the center of each cell of the image's square,
    -1 where unknown or outside the image."""
    found = np.full((cells, cells), -1)
    height, width = sample.frame.height, sample.frame.width
    centers = ((np.arange(cells) + 0.5) * max(height, width) / cells).astype(int)
    rows, columns = centers[centers < height], centers[centers < width]
    inside = found[: len(rows), : len(columns)]
    for mask, index in _labeled_masks(sample, names):
        inside[mask[rows[:, None], columns]] = index
    return torch.from_numpy(found)


def category_shares(sample: Sample, query: Query, names: Sequence[str]) -> Tensor:
    """(names,): the categories under a query's target as fractions; zeros where unknown."""
    area = torch.zeros(len(names))
    target = query.masks.any(0)
    for mask, index in _labeled_masks(sample, names):
        area[index] += float((mask & target).sum())
    area[area < _SLIVER * area.sum()] = 0
    return area / area.sum().clamp(min=1)


def _labeled_masks(sample: Sample, names: Sequence[str]) -> list[tuple[NDArray[np.bool_], int]]:
    """The masks of a sample's category queries with the index of their name."""
    index = {name: number for number, name in enumerate(names)}
    labeled = []
    for query in _category_queries(sample):
        assert isinstance(query.prompt, Categories)
        for mask, label in zip(query.masks, query.labels, strict=True):
            if (name := query.prompt.names[label]) in index:
                labeled.append((mask, index[name]))
    return labeled


def _category_queries(sample: Sample) -> list[Query]:
    return [query for query in sample.queries if isinstance(query.prompt, Categories)]


def _by_name(query: Query) -> list[Query]:
    """A query for each category in the image, with all masks of that category."""
    assert isinstance(query.prompt, Categories)
    labels = sorted(set(query.labels.tolist()))
    return [
        replace(
            query,
            prompt=Expression(query.prompt.names[label]),
            masks=query.masks[query.labels == label],
            labels=query.labels[query.labels == label],
        )
        for label in labels
    ]


def _padded(rows: Sequence[NDArray[Any]], fill: float, width: int = 0) -> Tensor:
    """Rows as one tensor, filled up to the longest, or to ``width`` where that is more."""
    tensors = [torch.from_numpy(row) for row in rows]
    padded = pad_sequence(tensors, batch_first=True, padding_value=fill)
    return F.pad(padded, (0, max(0, width - padded.shape[1])), value=fill)
