"""Frames and prompts in, predictions out: what every system with PSALM's four steps does alike.

A prompt becomes one row, or several; rows of one kind go through the model together.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vlseg_cli.models.mask2former.image_processing import fit_pixels
from vlseg_cli.models.mask2former.modeling import MaskModel, MaskOutput
from vlseg_cli.models.mask2former.postprocessing import (
    PromptOutput,
    Thresholds,
    build_prediction,
    check_finite,
)
from vlseg_cli.nn.postprocessing import ImageGeometry
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    Prediction,
    PromptRequest,
    Question,
    Regions,
    Task,
    UsageError,
)
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import TokenSequence
from vlseg_cli.text.tokenizer import Tokenizer

Key = tuple[int, int]  # number of the frame, identity of the prompt
ROWS = 32  # prompts answered in one go
_TALKING = (Task.REASON, Task.CHAT)
_SEGMENTING = (
    Task.PANOPTIC,
    Task.SEMANTIC,
    Task.INSTANCE,
    Task.DETECT,
    Task.GROUND,
    Task.REFER,
    Task.REASON,
    Task.INTERACTIVE,
)


@dataclass(frozen=True, slots=True, eq=False)
class EncodedFrames:
    """Frames, the sizes they passed through, and what the model saw; seconds spent looking."""

    frames: tuple[Frame, ...]
    geometries: tuple[ImageGeometry, ...]
    features: Any
    seconds: float


class Row(NamedTuple):
    """One sequence for the language model; several regions of an ask may be rows of their own.

    regions: masks (R, S, S) of its REGION marks. text: what the model said on the way.
    """

    key: Key
    ask: PromptRequest
    sequence: TokenSequence
    regions: Tensor | None = None
    text: str = ""


class PromptedSegmenter(ABC):
    """See ``Segmenter``. Deterministic: the same frames and prompts, the same answer.

    generates_text: whether its language model was taught to answer in words.
    """

    def __init__(
        self,
        name: str,
        model: MaskModel,
        tokenizer: Tokenizer,
        categories: Sequence[str],
        stuff: Sequence[bool],
        device: str,
    ) -> None:
        self.name, self.categories, self.stuff = name, tuple(categories), tuple(stuff)
        self.tokenizer, self.device = tokenizer, torch.device(device)
        self.generates_text: bool = model.config.generates_text
        self.tasks = frozenset((*_SEGMENTING, Task.CHAT) if self.generates_text else _SEGMENTING)
        model.eval().to(device)

    @property
    @abstractmethod
    def thresholds(self) -> Thresholds:
        """What the answers of its model are cut at when nobody says otherwise."""

    @abstractmethod
    def encode(self, frames: Sequence[Frame]) -> EncodedFrames:
        """Step 1 for a batch of frames of any sizes."""

    @abstractmethod
    def rows(self, encoded: EncodedFrames, key: Key, ask: PromptRequest) -> list[Row]:
        """What is read for an ask. Raises UsageError for a prompt that asks nothing."""

    @abstractmethod
    def run(self, encoded: EncodedFrames, rows: Sequence[Row], kind: ConditionKind) -> MaskOutput:
        """Steps 2 to 4 for rows of one kind."""

    @abstractmethod
    def words(self, encoded: EncodedFrames, ask: PromptRequest, text: str) -> str:
        """The model's own answer to a question, '' where masks come without."""

    def unknown_words(self, text: str) -> list[str]:
        """Words of a prompt that its tokenizer cannot tell from one another."""
        return self.tokenizer.unknown_words(text)

    @torch.inference_mode()
    def predict(
        self, encoded: EncodedFrames, requests: Sequence[PromptRequest]
    ) -> list[Prediction]:
        """Steps 2 to 4; prompts of one kind share batches. Questions are answered in words, too, if
        the model was taught to; Task.CHAT wants words alone.

        Raises NotFiniteError, and UsageError for Task.CHAT if the model does not talk.
        """
        start = time.perf_counter()
        masked = {_key(ask): ask for ask in requests if ask.task is not Task.CHAT}
        found, texts = self._read_and_answer(encoded, masked)
        for key, ask in masked.items():
            check_finite(found[key], encoded.frames[ask.frame])
        texts |= {_key(ask): self._words(encoded, ask) for ask in requests if ask.task in _TALKING}
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start}
        return [
            build_prediction(
                ask,
                encoded.frames[ask.frame],
                encoded.geometries[ask.frame],
                found.get(_key(ask), ()),
                self.thresholds,
                seconds,
                texts[_key(ask)],
            )
            for ask in requests
        ]

    def _words(self, encoded: EncodedFrames, ask: PromptRequest) -> str:
        if not isinstance(ask.prompt, Expression | Question):
            raise UsageError("A conversation is about words: ask a question.")
        if self.generates_text:
            return self.words(encoded, ask, ask.prompt.text)
        if ask.task is Task.CHAT:
            raise UsageError(
                f"The {self.name} model was not taught to talk, it answers with masks alone:"
                " --model takes another."
            )
        return ""

    def _read_and_answer(
        self, encoded: EncodedFrames, requests: Mapping[Key, PromptRequest]
    ) -> tuple[dict[Key, list[PromptOutput]], dict[Key, str]]:
        """Scores and masks of each different prompt, and what was said on the way."""
        rows = [row for key, ask in requests.items() for row in self.rows(encoded, key, ask)]
        parts: dict[Key, list[PromptOutput]] = {key: [] for key in requests}
        for kind in ConditionKind:
            mine = [row for row in rows if kind_of(row.ask) is kind]
            for first in range(0, len(mine), ROWS):
                chunk = mine[first : first + ROWS]
                answered = self.run(encoded, chunk, kind)
                for place, row in enumerate(chunk):
                    scores = answered.scores[-1][place][:, : row.sequence.conditions]
                    parts[row.key].append((scores, answered.pred_masks[-1][place]))
        return parts, {row.key: row.text for row in rows}

    def fit(self, frames: Sequence[Frame], size: int) -> tuple[Tensor, tuple[ImageGeometry, ...]]:
        """Frames as network input (B, 3, size, size), and the sizes that they pass through."""
        fitted = [fit_pixels(frame, size) for frame in frames]
        pixels = torch.from_numpy(np.stack([pixels for pixels, _ in fitted])).to(self.device)
        return pixels, tuple(
            ImageGeometry((size, size), content, (frame.height, frame.width))
            for frame, (_, content) in zip(frames, fitted, strict=True)
        )


def _key(ask: PromptRequest) -> Key:
    """Asks with one key have one answer, described in different ways by different tasks."""
    return ask.frame, id(ask.prompt)


def kind_of(ask: PromptRequest) -> ConditionKind:
    """Which kind of condition an ask's prompt becomes."""
    if isinstance(ask.prompt, Categories):
        return ConditionKind.CATEGORY
    return ConditionKind.REGION if isinstance(ask.prompt, Regions) else ConditionKind.SENTENCE
