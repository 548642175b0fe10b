"""Samples become a batch that SELF1E can learn from; runs in data-loading processes.

Every question is a conversation of its own with its picture in it: what image tokens become
depends on what is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.self1e.criterion import soft_target
from vlseg_cli.models.self1e.image_processing import fit_tiles
from vlseg_cli.models.self1e.prompts import Conversation, SELF1EPrompts
from vlseg_cli.models.training import seeded_rng
from vlseg_cli.schema import Categories, Expression, Query, Question, Sample, Task


@dataclass(frozen=True, slots=True)
class SELF1EBatch:
    """pixel_values (B, 3, S, S); P conversations and their pictures (P,); targets: (N, H, W) in
    [0, 1] of each, N its number of ``[SEG]``.

    semantic (B, h, w): index into the collator's names per cell of the fine grid, -1 where unknown.
    meant (P, names): which names an answer belongs to, as shares that sum to 1 or zeros.
    """

    pixel_values: Tensor
    conversations: list[Conversation]
    pictures: Tensor
    targets: list[Tensor]
    semantic: Tensor
    meant: Tensor

    def to(self, device: torch.device | str) -> "SELF1EBatch":
        """The same batch on a device."""
        return replace(
            self,
            pixel_values=self.pixel_values.to(device),
            pictures=self.pictures.to(device),
            targets=[target.to(device) for target in self.targets],
            semantic=self.semantic.to(device),
            meant=self.meant.to(device),
        )


@dataclass
class SELF1ECollator:
    """Callable on a sequence of samples. ``cells``: side of the fine grid. ``names`` are those of
    auxiliary losses; ``asked``: how many names of a picture are asked for, each by itself;
    ``dense_only`` asks nothing at all."""

    prompts: SELF1EPrompts
    size: int
    cells: int
    names: tuple[str, ...]
    asked: int
    word_dropout: float = 0.02
    dense_only: bool = False

    def __call__(self, samples: Sequence[Sample]) -> SELF1EBatch:
        pixels = np.concatenate([fit_tiles(s.frame, self.size, (1, 1)) for s in samples])
        maps = [self._names_of(sample) for sample in samples]
        conversations, pictures, targets, meant = [], [], [], []
        for number, sample in enumerate([] if self.dense_only else samples):
            for query in sample.queries:
                for conversation, mask in self._rows(query, sample.frame.source):
                    conversations.append(conversation)
                    pictures.append(number)
                    targets.append(soft_target(torch.from_numpy(mask)))
                    meant.append(self._meant(mask, maps[number]))
        return SELF1EBatch(
            torch.from_numpy(pixels),
            conversations,
            torch.tensor(pictures, dtype=torch.long),
            targets,
            torch.from_numpy(np.stack([self._cells(one) for one in maps])),
            torch.from_numpy(np.stack(meant)) if meant else torch.zeros(0, len(self.names)),
        )

    def _rows(self, query: Query, source: str) -> list[tuple[Conversation, NDArray[np.bool_]]]:
        """Conversations and the masks (N, H, W) that are to be drawn in each."""
        prompt = query.prompt
        union: NDArray[np.bool_] = np.logical_or.reduce(query.masks, 0, keepdims=True)
        match prompt:
            case Expression(text=text) | Question(text=text) if query.task is Task.CHAT:
                turn = [(text, query.answers[0])]
                return [(self.prompts.conversation(turn), union[:0])]
            case Expression(text=text) | Question(text=text):
                rng = seeded_rng(source, text)
                asked = self.prompts.training(text, rng, isinstance(prompt, Question))
                return [(self._forgetful(asked, rng), union)]
            case Categories(names=names):
                rng = seeded_rng(source, "")
                present = rng.permutation(np.unique(query.labels))[: self.asked]
                return [
                    (
                        self.prompts.training(names[label], rng, is_sentence=False),
                        np.logical_or.reduce(query.masks[query.labels == label], keepdims=True),
                    )
                    for label in present
                ]
        return []  # SELF1E knows no regions

    def _forgetful(self, conversation: Conversation, rng: Generator) -> Conversation:
        """Now and then a word that it will not know: users use others than those of training."""
        unknown = self.prompts.tokenizer.unknown
        if unknown is None:
            return conversation
        word = ~(conversation.spoken | self.prompts.is_mark(conversation.ids))
        lost = word & (rng.random(len(word)) < self.word_dropout)
        return replace(conversation, ids=np.where(lost, unknown, conversation.ids))

    def _names_of(self, sample: Sample) -> NDArray[np.int64]:
        """(H, W): which of ``names`` each pixel belongs to, -1 where that is not known."""
        known = np.full(sample.frame.pixels.shape[:2], -1)
        index = {name: number for number, name in enumerate(self.names)}
        for query in sample.queries:
            if isinstance(query.prompt, Categories):
                for mask, label in zip(query.masks, query.labels, strict=True):
                    known[mask] = index.get(query.prompt.names[label], -1)
        return known

    def _cells(self, known: NDArray[np.int64]) -> NDArray[np.int64]:
        """The same at the middles of the cells."""
        rows, columns = (
            ((np.arange(self.cells) + 0.5) * side / self.cells).astype(int) for side in known.shape
        )
        cells: NDArray[np.int64] = known[rows][:, columns]
        return cells

    def _meant(self, masks: NDArray[np.bool_], known: NDArray[np.int64]) -> NDArray[np.float32]:
        inside = known[masks.any(0) & (known >= 0)]
        area = np.bincount(inside, minlength=len(self.names)).astype(np.float32)
        shares: NDArray[np.float32] = area / max(area.sum(), 1)
        return shares
