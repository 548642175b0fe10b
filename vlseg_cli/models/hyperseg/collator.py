"""Samples become HyperSeg's batches; runs in data-loading processes.

``mask2former/collator.py`` with a second input for SigLIP, and with the text that the model
generates before its masks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.hyperseg.prompts import HyperSegPrompts
from vlseg_cli.models.mask2former.collator import MaskBatch, MaskCollator
from vlseg_cli.models.mask2former.image_processing import squash_pixels, squash_regions
from vlseg_cli.models.training import TensorBatch
from vlseg_cli.schema import Categories, Query, Question, Region, Sample
from vlseg_cli.schema.sample import ClipFrames
from vlseg_cli.text.sequence import TokenSequence


@dataclass(frozen=True, slots=True)
class HyperSegBatch(MaskBatch):
    """clip_values (B, 3, S, S) for SigLIP. conversations: questions with their answers;
    answer_lengths: in tokens; conversation_index: their images."""

    clip_values: Tensor
    conversations: tuple[TokenSequence, ...]
    answer_lengths: tuple[int, ...]
    conversation_index: Tensor


@dataclass(frozen=True, slots=True)
class ClipBatch(TensorBatch):
    """frames: a batch for each frame, the same clips in each. identities: per frame and clip, of
    each mask of the category prompt, -1 for stuff."""

    frames: tuple[HyperSegBatch, ...]
    identities: tuple[tuple[Tensor, ...], ...]


@dataclass
class HyperSegCollator(MaskCollator):
    """clip_size: side of SigLIP's input. squashed: regions lie on it. entities: names are generated
    before the masks. chat: questions also have answers in text. video: frames' instructions."""

    clip_size: int = 384
    squashed: bool = True
    entities: bool = False
    chat: bool = False
    video: bool = False

    def __call__(self, samples: Sequence[Sample]) -> HyperSegBatch:
        base = super().__call__(samples)
        clip = np.stack([squash_pixels(sample.frame, self.clip_size) for sample in samples])
        chats = self._conversations(samples, base) if self.chat and not self.dense_only else []
        lengths = self._entity_lengths(samples)
        return HyperSegBatch(
            pixel_values=base.pixel_values,
            categories=base.categories and base.categories._replace(generated=lengths),
            sentences=base.sentences,
            regions=base.regions,
            semantic=base.semantic,
            category_shares=base.category_shares,
            clip_values=torch.from_numpy(clip),
            conversations=tuple(sequence for _, sequence, _ in chats),
            answer_lengths=tuple(length for *_, length in chats),
            conversation_index=torch.tensor([image for image, *_ in chats], dtype=torch.long),
        )

    def _fit_region(self, region: Region) -> NDArray[np.bool_]:
        if not self.squashed:
            return super()._fit_region(region)
        fitted: NDArray[np.bool_] = squash_regions(region.mask[None], self.clip_size)[0]
        return fitted

    def _sequence(self, query: Query, source: str) -> TokenSequence:
        assert isinstance(self.prompts, HyperSegPrompts)
        if isinstance(query.prompt, Categories):
            return self.prompts.categories(query.prompt.names, self.video, self._present(query))
        return super()._sequence(query, source)

    def _present(self, query: Query) -> list[str]:
        """Names of the categories that are present, in the prompt's order; none if the model does
        not generate them."""
        assert isinstance(query.prompt, Categories)
        labels = sorted(set(query.labels.tolist()))
        return [query.prompt.names[label] for label in labels] if self.entities else []

    def _entity_lengths(self, samples: Sequence[Sample]) -> tuple[int, ...]:
        """How many tokens name what is present, per category prompt."""
        assert isinstance(self.prompts, HyperSegPrompts)
        named = [q for s in samples for q in s.queries if isinstance(q.prompt, Categories)]
        present = [self._present(query) for query in named]
        return tuple(len(self.prompts.entities(names)) for names in present if self.entities)

    def _conversations(
        self, samples: Sequence[Sample], base: MaskBatch
    ) -> list[tuple[int, TokenSequence, int]]:
        """Each question with the names of its masks' categories: image, sequence, answer length."""
        assert isinstance(self.prompts, HyperSegPrompts)
        sentences = [
            (image, query)
            for image, sample in enumerate(samples)
            for query in sample.queries
            if not isinstance(query.prompt, Categories) and hasattr(query.prompt, "text")
        ]
        chats = []
        for (image, query), shares in zip(sentences, base.category_shares, strict=True):
            names = [name for name, share in zip(self.names, shares, strict=True) if share > 0]
            if isinstance(query.prompt, Question) and names:
                sequence, length = self.prompts.answered(query.prompt.text, " and ".join(names))
                chats.append((image, sequence, length))
        return chats


@dataclass
class ClipCollator:
    """Frames of clips become a batch for each frame."""

    collator: HyperSegCollator

    def __call__(self, clips: Sequence[ClipFrames]) -> ClipBatch:
        frames = range(len(clips[0].samples))
        return ClipBatch(
            tuple(self.collator([clip.samples[t] for clip in clips]) for t in frames),
            tuple(tuple(torch.from_numpy(clip.things[t]) for clip in clips) for t in frames),
        )
