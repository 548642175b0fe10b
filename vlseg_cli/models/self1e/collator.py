"""Samples become a batch for SELF1E; runs in data-loading processes.

Every prompt is a conversation of its own with its image in it: the image tokens' hidden states
depend on the prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.self1e.criterion import soft_targets
from vlseg_cli.models.self1e.image_processing import fit_tiles
from vlseg_cli.models.self1e.prompts import Conversation, SELF1EPrompts
from vlseg_cli.models.training import TensorBatch, seeded_rng
from vlseg_cli.schema import Categories, Expression, Query, Question, Sample, Task


@dataclass(frozen=True, slots=True)
class SELF1EBatch(TensorBatch):
    """pixel_values (B, 3, S, S); P conversations, image_index (P,); targets: (N, H, W) in [0, 1] of
    each conversation, N its number of ``[SEG]``.

    semantic (B, h, w): index into the collator's names per cell of the fine grid, -1 where unknown.
    category_shares (P, names): the categories of a target, fractions that sum to 1 or zeros.
    """

    pixel_values: Tensor
    conversations: list[Conversation]
    image_index: Tensor
    targets: list[Tensor]
    semantic: Tensor
    category_shares: Tensor


@dataclass
class SELF1ECollator:
    """Callable on a sequence of samples.

    cells: side of the fine grid. names: the categories of auxiliary losses. category_prompts:
    number of an image's categories that become prompts of their own. dense_only: no prompts.
    """

    prompts: SELF1EPrompts
    size: int
    cells: int
    names: tuple[str, ...]
    category_prompts: int
    word_dropout: float = 0.02
    dense_only: bool = False

    def __call__(self, samples: Sequence[Sample]) -> SELF1EBatch:
        pixels = np.concatenate([fit_tiles(s.frame, self.size, (1, 1)) for s in samples])
        maps = [self._semantic(sample) for sample in samples]
        conversations, image_index, targets, classes = [], [], [], []
        for index, sample in enumerate([] if self.dense_only else samples):
            for query in sample.queries:
                for conversation, mask in self._rows(query, sample.frame.source):
                    conversations.append(conversation)
                    image_index.append(index)
                    targets.append(soft_targets(torch.from_numpy(mask)))
                    classes.append(self._category_shares(mask, maps[index]))
        return SELF1EBatch(
            torch.from_numpy(pixels),
            conversations,
            torch.tensor(image_index, dtype=torch.long),
            targets,
            torch.from_numpy(np.stack([self._cells(one) for one in maps])),
            torch.from_numpy(np.stack(classes)) if classes else torch.zeros(0, len(self.names)),
        )

    def _rows(self, query: Query, source: str) -> list[tuple[Conversation, NDArray[np.bool_]]]:
        """Conversations, each with its target masks (N, H, W)."""
        prompt = query.prompt
        union: NDArray[np.bool_] = np.logical_or.reduce(query.masks, 0, keepdims=True)
        match prompt:
            case Expression(text=text) | Question(text=text) if query.task is Task.CHAT:
                turn = [(text, query.answers[0])]
                return [(self.prompts.conversation(turn), union[:0])]
            case Expression(text=text) | Question(text=text):
                rng = seeded_rng(source, text)
                conversation = self.prompts.training(text, rng, isinstance(prompt, Question))
                return [(self._drop_words(conversation, rng), union)]
            case Categories(names=names):
                rng = seeded_rng(source, "")
                present = rng.permutation(np.unique(query.labels))[: self.category_prompts]
                return [
                    (
                        self.prompts.training(names[label], rng, is_sentence=False),
                        np.logical_or.reduce(query.masks[query.labels == label], keepdims=True),
                    )
                    for label in present
                ]
        return []  # SELF1E takes no regions

    def _drop_words(self, conversation: Conversation, rng: Generator) -> Conversation:
        """Replace random words by the unknown token: users' words may not be in the vocabulary."""
        unknown = self.prompts.tokenizer.unknown
        if unknown is None:
            return conversation
        word = ~(conversation.answer | self.prompts.is_special(conversation.ids))
        dropped = word & (rng.random(len(word)) < self.word_dropout)
        return replace(conversation, ids=np.where(dropped, unknown, conversation.ids))

    def _semantic(self, sample: Sample) -> NDArray[np.int64]:
        """(H, W): index into ``names`` of each pixel, -1 where unknown."""
        known = np.full(sample.frame.pixels.shape[:2], -1)
        index = {name: number for number, name in enumerate(self.names)}
        for query in sample.queries:
            if isinstance(query.prompt, Categories):
                for mask, label in zip(query.masks, query.labels, strict=True):
                    known[mask] = index.get(query.prompt.names[label], -1)
        return known

    def _cells(self, known: NDArray[np.int64]) -> NDArray[np.int64]:
        """(H, W) -> (cells, cells): the same at the centers of the cells."""
        rows, columns = (
            ((np.arange(self.cells) + 0.5) * side / self.cells).astype(int) for side in known.shape
        )
        cells: NDArray[np.int64] = known[rows][:, columns]
        return cells

    def _category_shares(
        self, masks: NDArray[np.bool_], known: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """The categories under a target, as fractions."""
        inside = known[masks.any(0) & (known >= 0)]
        area = np.bincount(inside, minlength=len(self.names)).astype(np.float32)
        fractions: NDArray[np.float32] = area / max(area.sum(), 1)
        return fractions
