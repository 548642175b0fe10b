"""Reading before seeing: the language model learns the words from sentences without pictures.

Each sentence stands where it will stand later, after image tokens, which are noise here; so the
model learns to look past them. Next words are learned along the way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlseg_cli.models.steps import Read
from vlseg_cli.nn.losses import next_token_loss
from vlseg_cli.worlds.categories import COLOURS
from vlseg_cli.worlds.text import POSITIONS

if TYPE_CHECKING:
    from vlseg_cli.models.hyperseg import HyperSeg
    from vlseg_cli.models.mvp_lm import MVPLM
    from vlseg_cli.models.mvp_lm_steps import Read as MVPLMRead
    from vlseg_cli.models.psalm import PSALM
    from vlseg_cli.worlds.text import TextExercise

_COLOURS = tuple(COLOURS)
PICTURES = 4  # noise pictures shared by the sentences of a batch


@dataclass(frozen=True, slots=True)
class WordsBatch:
    """Sentences (P) and what they mean: meant (P, names) shares; colour, position, anchor (P,)
    indices, -1 where the sentence says nothing of the sort."""

    sequences: list[Any]
    meant: Tensor
    colour: Tensor
    position: Tensor
    anchor: Tensor

    def to(self, device: torch.device | str) -> "WordsBatch":
        """The same batch on a device."""
        return replace(
            self,
            meant=self.meant.to(device),
            colour=self.colour.to(device),
            position=self.position.to(device),
            anchor=self.anchor.to(device),
        )


class WordsCollator:
    """Text exercises to a batch."""

    def __init__(self, sentence: Callable[[str], Any], names: Sequence[str]) -> None:
        """sentence: makes what the language model reads of a text; picklable."""
        self.sentence, self.names = sentence, tuple(names)

    def __call__(self, exercises: Sequence["TextExercise"]) -> WordsBatch:
        meant = torch.zeros(len(exercises), len(self.names))
        for row, exercise in enumerate(exercises):
            for name in exercise.categories:
                meant[row, self.names.index(name)] = 1 / len(exercise.categories)
        return WordsBatch(
            [self.sentence(exercise.text) for exercise in exercises],
            meant,
            _indices([e.colour for e in exercises], _COLOURS),
            _indices([e.position for e in exercises], POSITIONS),
            _indices([e.anchor for e in exercises], self.names),
        )


def _indices(values: Sequence[str | None], table: Sequence[str]) -> Tensor:
    return torch.tensor([-1 if value is None else table.index(value) for value in values])


class WordsHeads(nn.Module):
    """Read category, colour, position and anchor off a sentence's ``[SEG]``."""

    def __init__(self, channels: int, names: Sequence[str]) -> None:
        super().__init__()
        self.category = nn.Linear(channels, len(names))
        self.colour = nn.Linear(channels, len(_COLOURS))
        self.position = nn.Linear(channels, len(POSITIONS))
        self.anchor = nn.Linear(channels, len(names))

    def forward(
        self, model: "PSALM | HyperSeg | MVPLM", seen: Any, batch: WordsBatch
    ) -> dict[str, Tensor]:
        """Losses by name, next words included; seen: ``PICTURES`` pictures of nothing."""
        pictures = torch.arange(len(batch.sequences), device=batch.meant.device) % PICTURES
        read = model.read(seen, batch.sequences, pictures)
        losses = self.understood(sentence_end(read), batch)
        said = read.ids.masked_fill(read.condition != 0, -100)
        losses["words_next"] = 0.2 * next_token_loss(model.lm_head(read.hidden), said)
        return losses

    def understood(self, hidden: Tensor, batch: WordsBatch) -> dict[str, Tensor]:
        """(P, D) at the end of each sentence -> losses of what was taken from it, by name."""
        losses = {"words_category": self.meant(hidden, batch.meant)}
        for name in ("colour", "position", "anchor"):
            truth = getattr(batch, name)
            if (truth >= 0).any():
                logits = getattr(self, name)(hidden)
                losses[f"words_{name}"] = 0.5 * F.cross_entropy(logits, truth, ignore_index=-1)
        return losses

    def meant(self, hidden: Tensor, meant: Tensor) -> Tensor:
        """(P, D) at ``[SEG]``, shares (P, K) -> mean cross entropy; rows of zeros are left out."""
        known = meant.sum(1) > 0
        if not known.any():
            return hidden.sum() * 0
        return F.cross_entropy(self.category(hidden[known]), meant[known])


def sentence_end(read: "Read | MVPLMRead") -> Tensor:
    """(P, D): the hidden state at each sentence's ``[SEG]``, its last token."""
    places = torch.arange(read.condition.shape[1], device=read.condition.device)
    last = torch.where(read.condition == 0, places, -1).amax(1)
    return read.hidden[torch.arange(len(last)), last]
