"""Samples become a batch that HyperSeg can learn from; runs in data-loading processes.

PSALM's batch, seen by a second eye, and with the words that the model is to say before its masks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.hyperseg.prompts import HyperSegPrompts
from vlseg_cli.models.mask2former.collator import MaskBatch, MaskCollator
from vlseg_cli.models.mask2former.image_processing import squash_pixels, squash_regions
from vlseg_cli.schema import Categories, Query, Question, Region, Sample
from vlseg_cli.schema.sample import ClipFrames
from vlseg_cli.text.sequence import TokenSequence


@dataclass(frozen=True, slots=True)
class HyperSegBatch(MaskBatch):
    """clip_values (B, 3, S, S) for SigLIP. talks: questions with their answers in words; answers:
    how many tokens each has; talked: the pictures they are about."""

    clip_values: Tensor
    talks: tuple[TokenSequence, ...]
    answers: tuple[int, ...]
    talked: Tensor


@dataclass(frozen=True, slots=True)
class ClipBatch:
    """frames: a batch for each moment, the same clips in each. things: per moment and clip, the
    identity of each mask of the category prompt, -1 for stuff."""

    frames: tuple[HyperSegBatch, ...]
    things: tuple[tuple[Tensor, ...], ...]

    def to(self, device: torch.device | str) -> "ClipBatch":
        """The same batch on a device."""
        return replace(
            self,
            frames=tuple(frame.to(device) for frame in self.frames),
            things=tuple(tuple(one.to(device) for one in each) for each in self.things),
        )


@dataclass
class HyperSegCollator(MaskCollator):
    """clip_size: side of SigLIP's picture. squashed: regions lie on it. entities: names are said
    before they are segmented. talking: questions are also answered in words. video: as frames."""

    clip_size: int = 384
    squashed: bool = True
    entities: bool = False
    talking: bool = False
    video: bool = False

    def __call__(self, samples: Sequence[Sample]) -> HyperSegBatch:
        base = super().__call__(samples)
        clip = np.stack([squash_pixels(sample.frame, self.clip_size) for sample in samples])
        talks = self._talks(samples, base) if self.talking and not self.dense_only else []
        return HyperSegBatch(
            pixel_values=base.pixel_values,
            categories=base.categories and base.categories._replace(said=self._said(samples)),
            sentences=base.sentences,
            regions=base.regions,
            semantic=base.semantic,
            meant=base.meant,
            clip_values=torch.from_numpy(clip),
            talks=tuple(sequence for _, sequence, _ in talks),
            answers=tuple(count for *_, count in talks),
            talked=torch.tensor([picture for picture, *_ in talks], dtype=torch.long),
        )

    def _place(self, region: Region) -> NDArray[np.bool_]:
        if not self.squashed:
            return super()._place(region)
        placed: NDArray[np.bool_] = squash_regions(region.mask[None], self.clip_size)[0]
        return placed

    def _sequence(self, query: Query, source: str) -> TokenSequence:
        assert isinstance(self.prompts, HyperSegPrompts)
        if isinstance(query.prompt, Categories):
            present = self._present(query)
            return self.prompts.categories(query.prompt.names, self.video, present)
        return super()._sequence(query, source)

    def _present(self, query: Query) -> list[str]:
        """The names that are there, in the prompt's order; none where they need not be said."""
        assert isinstance(query.prompt, Categories)
        there = sorted(set(query.labels.tolist()))
        return [query.prompt.names[label] for label in there] if self.entities else []

    def _said(self, samples: Sequence[Sample]) -> tuple[int, ...]:
        """How many tokens name what is there, per category prompt."""
        assert isinstance(self.prompts, HyperSegPrompts)
        named = [q for s in samples for q in s.queries if isinstance(q.prompt, Categories)]
        present = [self._present(query) for query in named]
        return tuple(len(self.prompts.entities(names)) for names in present if self.entities)

    def _talks(
        self, samples: Sequence[Sample], base: MaskBatch
    ) -> list[tuple[int, TokenSequence, int]]:
        """Each question with the names of what it means: its picture, sequence, answer's length."""
        assert isinstance(self.prompts, HyperSegPrompts)
        spoken = [
            (picture, query)
            for picture, sample in enumerate(samples)
            for query in sample.queries
            if not isinstance(query.prompt, Categories) and hasattr(query.prompt, "text")
        ]
        talks = []
        for (picture, query), shares in zip(spoken, base.meant, strict=True):
            names = [name for name, share in zip(self.names, shares, strict=True) if share > 0]
            if isinstance(query.prompt, Question) and names:
                answer = " and ".join(names)
                sequence, count = self.prompts.answered(query.prompt.text, answer)
                talks.append((picture, sequence, count))
        return talks


@dataclass
class ClipCollator:
    """Moments of clips become a batch for each moment."""

    collator: HyperSegCollator

    def __call__(self, clips: Sequence[ClipFrames]) -> ClipBatch:
        moments = range(len(clips[0].samples))
        return ClipBatch(
            tuple(self.collator([clip.samples[t] for clip in clips]) for t in moments),
            tuple(tuple(torch.from_numpy(clip.things[t]) for clip in clips) for t in moments),
        )
