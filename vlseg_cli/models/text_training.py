"""Text-only training: the language model learns the vocabulary from sentences without images.

Sentences follow image tokens as in later stages; these are noise here, which the model learns to
ignore. Next-token prediction is trained along with the attributes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlseg_cli.models.training import TensorBatch
from vlseg_cli.nn.losses import next_token_loss
from vlseg_cli.schema.sample import TextSample, TrainingVocabulary

IMAGE_PLACEHOLDERS = 4  # noise images, shared by the sentences of a batch


class TextOutput(Protocol):
    """hidden (P, L, D), ids (P, L), condition (P, L): 0 on the tokens of the sentence."""

    @property
    def hidden(self) -> Tensor: ...
    @property
    def ids(self) -> Tensor: ...
    @property
    def condition(self) -> Tensor: ...


class TextEncodingModel(Protocol):
    """A network whose language model takes image features and sentences."""

    @property
    def lm_head(self) -> nn.Linear: ...

    def run_language_model(
        self, image_features: Any, sequences: Any, image_index: Tensor, /
    ) -> TextOutput:
        """P sentences, sentence p after image ``image_index[p]``."""
        ...


@dataclass(frozen=True, slots=True)
class TextBatch(TensorBatch):
    """P sentences and their attributes: category_shares (P, names + 1), fractions that sum to 1,
    the last of nothing; color,
    position, anchor (P,) indices, -1 where the sentence has no such attribute."""

    sequences: list[Any]
    category_shares: Tensor
    color: Tensor
    position: Tensor
    anchor: Tensor


class TextCollator:
    """Text samples to a batch."""

    def __init__(self, sentence: Callable[[str], Any], vocabulary: TrainingVocabulary) -> None:
        """sentence: from a text to the language model's input; picklable."""
        self.sentence, self.vocabulary = sentence, vocabulary

    def __call__(self, samples: Sequence[TextSample]) -> TextBatch:
        names = self.vocabulary.names
        category_shares = torch.zeros(len(samples), len(names) + 1)
        for row, sample in enumerate(samples):
            if not sample.categories:
                category_shares[row, -1] = 1
            for name in sample.categories:
                category_shares[row, names.index(name)] = 1 / len(sample.categories)
        return TextBatch(
            [self.sentence(sample.text) for sample in samples],
            category_shares,
            _indices([sample.color for sample in samples], self.vocabulary.colors),
            _indices([sample.position for sample in samples], self.vocabulary.positions),
            _indices([sample.anchor for sample in samples], names),
        )


def _indices(values: Sequence[str | None], table: Sequence[str]) -> Tensor:
    return torch.tensor([-1 if value is None else table.index(value) for value in values])


class TextHeads(nn.Module):
    """Category, color, position and anchor from the hidden state at a sentence's ``[SEG]``."""

    def __init__(self, channels: int, vocabulary: TrainingVocabulary) -> None:
        super().__init__()
        self.category = nn.Linear(channels, len(vocabulary.names) + 1)  # the last one is nothing
        self.color = nn.Linear(channels, len(vocabulary.colors))
        self.position = nn.Linear(channels, len(vocabulary.positions))
        self.anchor = nn.Linear(channels, len(vocabulary.names))

    def forward(self, model: TextEncodingModel, noise: Any, batch: TextBatch) -> dict[str, Tensor]:
        """Losses by name, and of next tokens; noise: ``IMAGE_PLACEHOLDERS`` images' features."""
        device = batch.category_shares.device
        image_index = torch.arange(len(batch.sequences), device=device) % IMAGE_PLACEHOLDERS
        output = model.run_language_model(noise, batch.sequences, image_index)
        losses = self.attribute_losses(sentence_end(output), batch)
        labels = output.ids.masked_fill(output.condition != 0, -100)
        losses["text_next_token"] = 0.2 * next_token_loss(model.lm_head(output.hidden), labels)
        return losses

    def attribute_losses(self, hidden: Tensor, batch: TextBatch) -> dict[str, Tensor]:
        """(P, D) at the end of each sentence -> losses of its attributes, by name."""
        losses = {"text_category": self.class_loss(hidden, batch.category_shares)}
        for name in ("color", "position", "anchor"):
            target = getattr(batch, name)
            if (target >= 0).any():
                logits = getattr(self, name)(hidden)
                losses[f"text_{name}"] = 0.5 * F.cross_entropy(logits, target, ignore_index=-1)
        return losses

    def class_loss(self, hidden: Tensor, category_shares: Tensor) -> Tensor:
        """(P, D) at ``[SEG]``, fractions (P, names), or (P, names + 1) with nothing as the last ->
        mean cross entropy; rows of zeros are ignored."""
        known = category_shares.sum(1) > 0
        if not known.any():
            return hidden.sum() * 0
        logits, shares = self.category(hidden[known]), category_shares[known]
        return F.cross_entropy(logits, F.pad(shares, (0, logits.shape[1] - shares.shape[1])))


def sentence_end(output: TextOutput) -> Tensor:
    """(P, D): the hidden state at each sentence's ``[SEG]``, its last token."""
    positions = torch.arange(output.condition.shape[1], device=output.condition.device)
    last = torch.where(output.condition == 0, positions, -1).amax(1)
    return output.hidden[torch.arange(len(last)), last]
