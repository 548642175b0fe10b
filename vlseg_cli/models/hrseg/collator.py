"""Samples become a batch that HRSeg can learn from; runs in data-loading processes.

Everything that needs no weights to learn happens here: views, wording, the proposals of whoever
proposes (asked once per picture if ``VLSEG_CACHE`` names a folder), and how good each would be.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vlseg_cli.models.hrseg.config import HRSegConfig
from vlseg_cli.models.hrseg.image_processing import HRSegImages, fit_llava, fit_views, soft_masks
from vlseg_cli.models.hrseg.prompts import IGNORED, HRSegPrompts, HRSegTurn
from vlseg_cli.models.hrseg.targets import cell_names, meant_shares, targets_of
from vlseg_cli.models.proposals.base import (
    TORCH,
    OpenProposer,
    Proposer,
    default_cache_folder,
)
from vlseg_cli.models.proposals.cache import FeatureCache
from vlseg_cli.models.training import seeded_rng
from vlseg_cli.schema import Categories, Expression, Frame, Query, Question, Sample
from vlseg_cli.text.sequence import TokenSequence


@dataclass(frozen=True, slots=True)
class HRSegSupervision:
    """P conversations: sequences, labels (P, L) padded with -100, the picture of each (P,), the
    truth about each proposal, iou and iop (P, K), and meant (P, names), shares that sum to 1."""

    sequences: list[TokenSequence]
    labels: Tensor
    pictures: Tensor
    iou: Tensor
    iop: Tensor
    meant: Tensor


@dataclass(frozen=True, slots=True)
class HRSegBatch:
    """B pictures: what LLaVA and DINOv2 see of them, soft proposals (K, S, S) of each, lessons.

    names_near, names_far: index of the name under each token of the windows' joined map and of the
    overview, -1 where unknown. Without lessons there are no proposals either.
    """

    pictures: HRSegImages
    views: Tensor
    masks: list[Tensor]
    lessons: HRSegSupervision | None
    names_near: Tensor
    names_far: Tensor

    def to(self, device: torch.device | str) -> "HRSegBatch":
        """The same batch on a device."""
        moved: dict[str, Any] = {f.name: _move(getattr(self, f.name), device) for f in fields(self)}
        return replace(self, **moved)


def _move(value: Any, device: torch.device | str) -> Any:
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, HRSegImages):
        return HRSegImages(*(entry.to(device) for entry in value))
    if isinstance(value, HRSegSupervision):
        return replace(
            value, **{f.name: _move(getattr(value, f.name), device) for f in fields(value)}
        )
    if isinstance(value, list) and value and isinstance(value[0], Tensor):
        return [entry.to(device) for entry in value]
    return value


@dataclass
class HRSegCollator:
    """Callable on a sequence of samples. names: the categories of auxiliary losses. phrases: how
    many names of a picture are asked for, each by itself. windows: what a batch's N is drawn from.
    dense_only: nothing is asked."""

    config: HRSegConfig
    prompts: HRSegPrompts
    names: tuple[str, ...]
    phrases: int
    windows: tuple[int, ...]
    open_proposer: OpenProposer
    dense_only: bool = False

    def __call__(self, samples: Sequence[Sample]) -> HRSegBatch:
        config, frames = self.config, [sample.frame for sample in samples]
        asked = [] if self.dense_only else [self._queries(sample) for sample in samples]
        proposals = [self._proposals(frame) for frame in frames[: len(asked)]]
        windows = self._windows(samples)
        far, near = config.grid, config.grid * max(1, windows)
        return HRSegBatch(
            fit_llava(frames, config),
            torch.stack([fit_views(frame, config.view, windows) for frame in frames]),
            [soft_masks(masks, config.mask_size) for masks in proposals],
            self._lessons(samples, asked, proposals) if any(asked) else None,
            torch.stack([cell_names(sample, self.names, near) for sample in samples]),
            torch.stack([cell_names(sample, self.names, far) for sample in samples]),
        )

    def _windows(self, samples: Sequence[Sample]) -> int:
        """N of a batch, which its first picture decides: the same again when training resumes."""
        return self.windows[seeded_rng(samples[0].frame.source).integers(len(self.windows))]

    def _proposals(self, frame: Frame) -> NDArray[np.bool_]:
        proposer = _proposer(self.config.proposals, self.open_proposer)
        store = FeatureCache(default_cache_folder())
        return store.proposals(frame, proposer).largest(self.config.most_proposals)

    def _lessons(
        self,
        samples: Sequence[Sample],
        asked: Sequence[Sequence[Query]],
        proposals: Sequence[NDArray[np.bool_]],
    ) -> HRSegSupervision:
        rows = [(place, query) for place, queries in enumerate(asked) for query in queries]
        lessons = [self._lesson(query, samples[place].frame.source) for place, query in rows]
        truth = [
            targets_of(np.concatenate([_union(query) for query in queries]), masks)
            for queries, masks in zip(asked, proposals, strict=True)
            if queries
        ]
        most = max(len(masks) for masks in proposals)
        labels = [torch.from_numpy(lesson.labels) for lesson in lessons]
        shares = [meant_shares(samples[place], query, self.names) for place, query in rows]
        return HRSegSupervision(
            [lesson.sequence for lesson in lessons],
            pad_sequence(labels, batch_first=True, padding_value=IGNORED),
            torch.tensor([place for place, _ in rows]),
            _padded([row for one in truth for row in one.iou], most),
            _padded([row for one in truth for row in one.iop], most),
            torch.stack(shares),
        )

    def _queries(self, sample: Sample) -> list[Query]:
        """Sentences that have an answer, and some of the picture's names as if they were one."""
        said = [q for q in sample.queries if isinstance(q.prompt, Expression | Question)]
        rng = seeded_rng(sample.frame.source)
        named = [
            one for q in sample.queries if isinstance(q.prompt, Categories) for one in _by_name(q)
        ]
        drawn = rng.permutation(len(named))[: self.phrases].tolist()
        return [q for q in (*said, *(named[place] for place in drawn)) if len(q.masks)]

    def _lesson(self, query: Query, source: str) -> HRSegTurn:
        assert isinstance(query.prompt, Expression | Question)
        text = query.prompt.text
        rng = seeded_rng(source, text)
        if isinstance(query.prompt, Question):
            return self.prompts.drawn_question(text, rng)
        return self.prompts.drawn_phrase(text, rng)


@cache
def _proposer(source: str, open_proposer: OpenProposer) -> Proposer:
    """Opened once per process, on the CPU: workers share no GPU with the model that learns."""
    return open_proposer(source, "cpu", TORCH)


def _by_name(query: Query) -> list[Query]:
    """Everything of one name together, for each name that the picture has."""
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


def _union(query: Query) -> NDArray[np.bool_]:
    """(1, H, W): all that a query means."""
    union: NDArray[np.bool_] = query.masks.max(0, keepdims=True)
    return union


def _padded(rows: Sequence[NDArray[np.float64]], length: int) -> Tensor:
    """Rows of at most ``length`` numbers, zeros behind the shorter."""
    padded = torch.zeros(len(rows), length)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = torch.from_numpy(row)
    return padded
