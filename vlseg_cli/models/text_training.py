"""Reading before seeing: the language model learns the words from sentences without pictures.

Each sentence stands where it will stand later, after image tokens, which are noise here; so the
model learns to look past them. Next words are learned along the way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlseg_cli.nn.losses import next_token_loss
from vlseg_cli.schema.sample import TextSample, TrainingVocabulary

IMAGE_PLACEHOLDERS = 4  # noise pictures shared by the sentences of a batch


class TextOutput(Protocol):
    """hidden (P, L, D), ids (P, L), condition (P, L): 0 on the tokens of the sentence."""

    @property
    def hidden(self) -> Tensor: ...
    @property
    def ids(self) -> Tensor: ...
    @property
    def condition(self) -> Tensor: ...


class ReadsText(Protocol):
    """A network that runs its language model over sentences after an image."""

    @property
    def lm_head(self) -> nn.Linear: ...

    def run_language_model(self, seen: Any, sequences: Any, pictures: Tensor, /) -> TextOutput:
        """P sentences, sentence p about image ``pictures[p]``."""
        ...


@dataclass(frozen=True, slots=True)
class TextBatch:
    """Sentences (P) and what they mean: meant (P, names) shares; color, position, anchor (P,)
    indices, -1 where the sentence says nothing of the sort."""

    sequences: list[Any]
    meant: Tensor
    color: Tensor
    position: Tensor
    anchor: Tensor

    def to(self, device: torch.device | str) -> "TextBatch":
        """The same batch on a device."""
        return replace(
            self,
            meant=self.meant.to(device),
            color=self.color.to(device),
            position=self.position.to(device),
            anchor=self.anchor.to(device),
        )


class TextCollator:
    """Text exercises to a batch."""

    def __init__(self, sentence: Callable[[str], Any], vocabulary: TrainingVocabulary) -> None:
        """sentence: makes what the language model reads of a text; picklable."""
        self.sentence, self.vocabulary = sentence, vocabulary

    def __call__(self, exercises: Sequence[TextSample]) -> TextBatch:
        names = self.vocabulary.names
        meant = torch.zeros(len(exercises), len(names))
        for row, exercise in enumerate(exercises):
            for name in exercise.categories:
                meant[row, names.index(name)] = 1 / len(exercise.categories)
        return TextBatch(
            [self.sentence(exercise.text) for exercise in exercises],
            meant,
            _indices([e.color for e in exercises], self.vocabulary.colors),
            _indices([e.position for e in exercises], self.vocabulary.positions),
            _indices([e.anchor for e in exercises], names),
        )


def _indices(values: Sequence[str | None], table: Sequence[str]) -> Tensor:
    return torch.tensor([-1 if value is None else table.index(value) for value in values])


class TextHeads(nn.Module):
    """Read category, color, position and anchor off a sentence's ``[SEG]``."""

    def __init__(self, channels: int, vocabulary: TrainingVocabulary) -> None:
        super().__init__()
        self.category = nn.Linear(channels, len(vocabulary.names))
        self.color = nn.Linear(channels, len(vocabulary.colors))
        self.position = nn.Linear(channels, len(vocabulary.positions))
        self.anchor = nn.Linear(channels, len(vocabulary.names))

    def forward(self, model: ReadsText, seen: Any, batch: TextBatch) -> dict[str, Tensor]:
        """Losses by name, next words included; seen: ``IMAGE_PLACEHOLDERS`` pictures of nothing."""
        pictures = (
            torch.arange(len(batch.sequences), device=batch.meant.device) % IMAGE_PLACEHOLDERS
        )
        read = model.run_language_model(seen, batch.sequences, pictures)
        losses = self.understood(sentence_end(read), batch)
        said = read.ids.masked_fill(read.condition != 0, -100)
        losses["words_next"] = 0.2 * next_token_loss(model.lm_head(read.hidden), said)
        return losses

    def understood(self, hidden: Tensor, batch: TextBatch) -> dict[str, Tensor]:
        """(P, D) at the end of each sentence -> losses of what was taken from it, by name."""
        losses = {"words_category": self.meant(hidden, batch.meant)}
        for name in ("color", "position", "anchor"):
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


def sentence_end(read: TextOutput) -> Tensor:
    """(P, D): the hidden state at each sentence's ``[SEG]``, its last token."""
    places = torch.arange(read.condition.shape[1], device=read.condition.device)
    last = torch.where(read.condition == 0, places, -1).amax(1)
    return read.hidden[torch.arange(len(last)), last]
