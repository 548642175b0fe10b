"""Samples become a batch that MVP-LM can learn from; runs in data-loading processes.

Everything that needs no weights happens here: resizing, wording, which names are asked, and the
truth at mask resolution.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from vlseg_cli.models.mask2former.collator import category_shares, semantic_map
from vlseg_cli.models.mask2former.image_processing import fit_masks, fit_pixels
from vlseg_cli.models.mvp_lm.criterion import BoxTargets
from vlseg_cli.models.mvp_lm.prompts import IGNORED, MVPLMPrompts, SupervisedCaption
from vlseg_cli.models.training import seeded_rng
from vlseg_cli.nn.auxiliary import mask_boxes
from vlseg_cli.nn.losses import MaskSampling
from vlseg_cli.schema import Categories, Expression, Query, Question, Sample, Task
from vlseg_cli.text.sequence import TokenSequence

_BOXES_ALONE = (Task.DETECT, Task.GROUND)  # of their truth only the boxes are taught
_STUFF = (Task.PANOPTIC, Task.SEMANTIC)


class MVPLMPromptBatch(NamedTuple):
    """Prompts of one kind: sequences (P), their pictures (P,), the truth of each, said (P, L): what
    is to be said after the picture, ``IGNORED`` elsewhere."""

    sequences: list[TokenSequence]
    pictures: Tensor
    truth: list[BoxTargets]
    said: Tensor

    def to(self, device: torch.device | str) -> "MVPLMPromptBatch":
        """The same prompts on a device."""
        moved = [
            BoxTargets(
                one.labels.to(device),
                one.boxes.to(device),
                one.is_thing.to(device),
                None if one.masks is None else one.masks.to(device),
            )
            for one in self.truth
        ]
        return MVPLMPromptBatch(
            self.sequences, self.pictures.to(device), moved, self.said.to(device)
        )


@dataclass(frozen=True, slots=True)
class MVPLMBatch:
    """pixel_values (B, 3, S, S) and the prompts about them by kind; None where none were asked.

    everything: names, surroundings included; things: names of which only objects count.
    semantic (B, h, w): index into the collator's names per cell, -1 where unknown.
    meant (P, names): which categories a sentence's answer belongs to, as shares that sum to 1.
    """

    pixel_values: Tensor
    everything: MVPLMPromptBatch | None
    things: MVPLMPromptBatch | None
    sentences: MVPLMPromptBatch | None
    semantic: Tensor
    meant: Tensor

    def to(self, device: torch.device | str) -> "MVPLMBatch":
        """The same batch on a device."""
        kinds = (self.everything, self.things, self.sentences)
        everything, things, sentences = (one.to(device) if one else None for one in kinds)
        return MVPLMBatch(
            self.pixel_values.to(device),
            everything,
            things,
            sentences,
            self.semantic.to(device),
            self.meant.to(device),
        )


@dataclass
class MVPLMCollator:
    """Callable on a sequence of samples.

    slots: zero vectors at ``<seg>`` where surroundings are not asked for. names: the categories of
    auxiliary losses. listed: least and most names of a list, the rest of it absent ones drawn at
    random; () asks all. instances: share of panoptic prompts that are taught as instance prompts.
    dense_only keeps nothing but what each cell belongs to.
    """

    prompts: MVPLMPrompts
    size: int
    sampling: MaskSampling
    slots: int
    names: tuple[str, ...]
    listed: tuple[int, ...] = ()
    instances: float = 0.0
    dense_only: bool = False

    def __call__(self, samples: Sequence[Sample]) -> MVPLMBatch:
        pixels = np.stack([fit_pixels(sample.frame, self.size)[0] for sample in samples])
        asked = [(i, query) for i, sample in enumerate(samples) for query in sample.queries]
        named = [(i, query) for i, query in asked if isinstance(query.prompt, Categories)]
        spoken = [(i, q) for i, q in asked if isinstance(q.prompt, Expression | Question)]
        semantic = semantic_map(len(samples), named, self.names, self.size)
        if self.dense_only:
            named, spoken = [], []
        named = [(i, self._of_interest(query, samples[i].frame.source)) for i, query in named]
        sources = [sample.frame.source for sample in samples]
        sentences = self._prompts(spoken, sources)
        answers = [
            torch.zeros(0, *semantic.shape[1:]) if one.masks is None else one.masks
            for one in (sentences.truth if sentences else ())
        ]
        pictures = sentences.pictures if sentences else torch.zeros(0, dtype=torch.long)
        return MVPLMBatch(
            torch.from_numpy(pixels),
            self._prompts([one for one in named if one[1].task in _STUFF], sources),
            self._prompts([one for one in named if one[1].task not in _STUFF], sources),
            sentences,
            semantic,
            category_shares(semantic, pictures, answers, len(self.names)),
        )

    def _of_interest(self, query: Query, source: str) -> Query:
        """Now and then of a panoptic query just the objects."""
        if (
            query.task is not Task.PANOPTIC
            or seeded_rng(source, "instances").random() >= self.instances
        ):
            return query
        assert isinstance(query.prompt, Categories)
        kept = np.array([query.prompt.is_thing(label) for label in query.labels], bool)
        return replace(
            query, task=Task.INSTANCE, masks=query.masks[kept], labels=query.labels[kept]
        )

    def _prompts(
        self, asked: Sequence[tuple[int, Query]], sources: list[str]
    ) -> MVPLMPromptBatch | None:
        if not asked:
            return None
        taught: list[SupervisedCaption] = []
        truth: list[BoxTargets] = []
        for picture, query in asked:
            if isinstance(query.prompt, Categories):
                listed = list_names(query, self.listed, seeded_rng(sources[picture], "names"))
                taught.append(self._named(listed, seeded_rng(sources[picture], "order")))
                truth.append(self._truth(listed))
            else:
                taught.append(self._sentence(query, sources[picture]))
                truth.append(self._truth(query))
        sequences = [one.sequence for one in taught]
        said = torch.full((len(taught), max(len(one.labels) for one in taught)), IGNORED)
        for row, one in zip(said, taught, strict=True):
            row[: len(one.labels)] = torch.from_numpy(one.labels)
        return MVPLMPromptBatch(sequences, torch.tensor([i for i, _ in asked]), truth, said)

    def _named(self, query: Query, rng: Generator) -> SupervisedCaption:
        assert isinstance(query.prompt, Categories)
        names = query.prompt.names
        order = rng.permutation(len(names) + 1).tolist()  # background among them
        slots = 1 if query.task in _STUFF else self.slots
        said = _caption(query, rng)
        if self.prompts.style == "released":
            there = sorted({names[label] for label in query.labels})
            said = self.prompts.existing(rng.permutation(there).tolist())
        return self.prompts.teach_names(names, query.task, order, said, slots)

    def _sentence(self, query: Query, source: str) -> SupervisedCaption:
        assert isinstance(query.prompt, Expression | Question)
        tokens = self.prompts.sentence_tokens(query.prompt.text)
        said = _caption(query, seeded_rng(source, query.prompt.text))
        return self.prompts.teach_sentence(tokens, query.task, said, self.slots)

    def _truth(self, query: Query) -> BoxTargets:
        masks = torch.from_numpy(fit_masks(query.masks, self.size))
        seen = masks.flatten(1).any(1)  # what is too small to be seen cannot be asked for
        masks, labels = masks[seen], torch.from_numpy(query.labels)[seen]
        is_thing = torch.ones_like(labels, dtype=torch.bool)
        if isinstance(query.prompt, Categories):
            flags = [query.prompt.is_thing(i) for i in range(len(query.prompt.names))]
            is_thing = torch.tensor(flags)[labels]
        known = None if query.task in _BOXES_ALONE else self.sampling.prepare(masks)
        return BoxTargets(labels, mask_boxes(masks.float()), is_thing, known)


def list_names(query: Query, listed: Sequence[int], rng: Generator) -> Query:
    """The query with a list of so many names: all that are there, and absent ones at random.

    listed: least and most names, drawn evenly; () leaves the list as it is.
    """
    assert isinstance(query.prompt, Categories)
    names, stuff = query.prompt.names, query.prompt.stuff
    if not listed:
        return query
    there = np.unique(query.labels)
    absent = rng.permutation(np.setdiff1d(np.arange(len(names)), there))
    wanted = int(rng.integers(listed[0], listed[-1] + 1))
    kept = np.sort(np.concatenate([there, absent[: max(0, wanted - len(there))]]))
    return replace(
        query,
        prompt=Categories(
            tuple(names[i] for i in kept), tuple(stuff[i] for i in kept) if stuff else ()
        ),
        labels=np.searchsorted(kept, query.labels),
    )


def _caption(query: Query, rng: Generator) -> str:
    """One of the picture's captions, another one for another prompt."""
    return query.answers[int(rng.integers(len(query.answers)))] if query.answers else ""
