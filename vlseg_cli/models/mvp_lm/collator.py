"""Samples become a batch for MVP-LM; runs in data-loading processes.

Everything that needs no weights happens here: resizing, wording, the choice of names, and targets
at mask resolution.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vlseg_cli.models.mask2former.collator import category_shares, semantic_map
from vlseg_cli.models.mask2former.image_processing import fit_masks, fit_pixels
from vlseg_cli.models.mvp_lm.criterion import BoxTargets
from vlseg_cli.models.mvp_lm.prompts import IGNORED, MVPLMPrompts, SupervisedCaption
from vlseg_cli.models.training import TensorBatch, seeded_rng
from vlseg_cli.nn.boxes import mask_boxes
from vlseg_cli.nn.losses import MaskSampling
from vlseg_cli.schema import Categories, Expression, Query, Question, Sample, Task
from vlseg_cli.text.sequence import TokenSequence

_BOXES_ONLY = (Task.DETECT, Task.GROUND)  # tasks without mask losses
_STUFF = (Task.PANOPTIC, Task.SEMANTIC)


class MVPLMPromptBatch(NamedTuple):
    """Prompts of one kind: sequences (P), image_index (P,), the targets of each, labels (P, L): the
    target tokens after the image, ``IGNORED`` elsewhere."""

    sequences: list[TokenSequence]
    image_index: Tensor
    targets: list[BoxTargets]
    labels: Tensor


@dataclass(frozen=True, slots=True)
class MVPLMBatch(TensorBatch):
    """pixel_values (B, 3, S, S) and prompts by kind; None without prompts of the kind.

    everything: names with stuff; things: names of objects only. semantic (B, h, w): index into the
    collator's names per cell, -1 where unknown. category_shares (P, names): the categories of a
    sentence's target, fractions that sum to 1.
    """

    pixel_values: Tensor
    everything: MVPLMPromptBatch | None
    things: MVPLMPromptBatch | None
    sentences: MVPLMPromptBatch | None
    semantic: Tensor
    category_shares: Tensor


@dataclass
class MVPLMCollator:
    """Callable on a sequence of samples.

    slots: zero vectors at ``<seg>`` of prompts without stuff. names: the categories of auxiliary
    losses. list_lengths: least and most names of a list, filled with absent ones at random; ()
    keeps all names. instance_fraction: of panoptic prompts that become instance prompts.
    dense_only: no prompts.
    """

    prompts: MVPLMPrompts
    size: int
    sampling: MaskSampling
    slots: int
    names: tuple[str, ...]
    list_lengths: tuple[int, ...] = ()
    instance_fraction: float = 0.0
    dense_only: bool = False

    def __call__(self, samples: Sequence[Sample]) -> MVPLMBatch:
        pixels = np.stack([fit_pixels(sample.frame, self.size)[0] for sample in samples])
        queries = [(i, query) for i, sample in enumerate(samples) for query in sample.queries]
        named = [(i, query) for i, query in queries if isinstance(query.prompt, Categories)]
        texts = [(i, q) for i, q in queries if isinstance(q.prompt, Expression | Question)]
        semantic = semantic_map(len(samples), named, self.names, self.size)
        if self.dense_only:
            named, texts = [], []
        named = [(i, self._maybe_instances(q, samples[i].frame.source)) for i, q in named]
        sources = [sample.frame.source for sample in samples]
        sentences = self._prompts(texts, sources)
        masks = [
            torch.zeros(0, *semantic.shape[1:]) if one.masks is None else one.masks
            for one in (sentences.targets if sentences else ())
        ]
        image_index = sentences.image_index if sentences else torch.zeros(0, dtype=torch.long)
        return MVPLMBatch(
            torch.from_numpy(pixels),
            self._prompts([one for one in named if one[1].task in _STUFF], sources),
            self._prompts([one for one in named if one[1].task not in _STUFF], sources),
            sentences,
            semantic,
            category_shares(semantic, image_index, masks, len(self.names)),
        )

    def _maybe_instances(self, query: Query, source: str) -> Query:
        """A fraction of panoptic queries as instance queries."""
        if (
            query.task is not Task.PANOPTIC
            or seeded_rng(source, "instances").random() >= self.instance_fraction
        ):
            return query
        assert isinstance(query.prompt, Categories)
        kept = np.array([query.prompt.is_thing(label) for label in query.labels], bool)
        return replace(
            query, task=Task.INSTANCE, masks=query.masks[kept], labels=query.labels[kept]
        )

    def _prompts(
        self, queries: Sequence[tuple[int, Query]], sources: list[str]
    ) -> MVPLMPromptBatch | None:
        if not queries:
            return None
        captions: list[SupervisedCaption] = []
        targets: list[BoxTargets] = []
        for image, query in queries:
            if isinstance(query.prompt, Categories):
                rng = seeded_rng(sources[image], "names")
                listed = list_names(query, self.list_lengths, rng)
                captions.append(self._named(listed, seeded_rng(sources[image], "order")))
                targets.append(self._targets(listed))
            else:
                captions.append(self._sentence(query, sources[image]))
                targets.append(self._targets(query))
        labels = [torch.from_numpy(one.labels) for one in captions]
        return MVPLMPromptBatch(
            [one.sequence for one in captions],
            torch.tensor([i for i, _ in queries]),
            targets,
            pad_sequence(labels, batch_first=True, padding_value=IGNORED),
        )

    def _named(self, query: Query, rng: Generator) -> SupervisedCaption:
        assert isinstance(query.prompt, Categories)
        names = query.prompt.names
        order = rng.permutation(len(names) + 1).tolist()  # with background
        slots = 1 if query.task in _STUFF else self.slots
        caption = _caption(query, rng)
        if self.prompts.style == "released":
            present = sorted({names[label] for label in query.labels})
            caption = self.prompts.existing(rng.permutation(present).tolist())
        return self.prompts.supervised_names(names, query.task, order, caption, slots)

    def _sentence(self, query: Query, source: str) -> SupervisedCaption:
        assert isinstance(query.prompt, Expression | Question)
        tokens = self.prompts.sentence_tokens(query.prompt.text)
        caption = _caption(query, seeded_rng(source, query.prompt.text))
        return self.prompts.supervised_sentence(tokens, query.task, caption, self.slots)

    def _targets(self, query: Query) -> BoxTargets:
        masks = torch.from_numpy(fit_masks(query.masks, self.size))
        visible = masks.flatten(1).any(1)  # at this resolution
        masks, labels = masks[visible], torch.from_numpy(query.labels)[visible]
        is_thing = torch.ones_like(labels, dtype=torch.bool)
        if isinstance(query.prompt, Categories):
            flags = [query.prompt.is_thing(i) for i in range(len(query.prompt.names))]
            is_thing = torch.tensor(flags)[labels]
        prepared = None if query.task in _BOXES_ONLY else self.sampling.prepare(masks)
        return BoxTargets(labels, mask_boxes(masks.float()), is_thing, prepared)


def list_names(query: Query, lengths: Sequence[int], rng: Generator) -> Query:
    """The query with a shorter list of names: all present ones, and absent ones at random.

    lengths: least and most names, drawn uniformly; () leaves the list unchanged.
    """
    assert isinstance(query.prompt, Categories)
    names, stuff = query.prompt.names, query.prompt.stuff
    if not lengths:
        return query
    present = np.unique(query.labels)
    absent = rng.permutation(np.setdiff1d(np.arange(len(names)), present))
    length = int(rng.integers(lengths[0], lengths[-1] + 1))
    kept = np.sort(np.concatenate([present, absent[: max(0, length - len(present))]]))
    return replace(
        query,
        prompt=Categories(
            tuple(names[i] for i in kept), tuple(stuff[i] for i in kept) if stuff else ()
        ),
        labels=np.searchsorted(kept, query.labels),
    )


def _caption(query: Query, rng: Generator) -> str:
    """One of the image's captions at random."""
    return query.answers[int(rng.integers(len(query.answers)))] if query.answers else ""
