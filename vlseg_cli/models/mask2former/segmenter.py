"""Frames and prompts in, predictions out: what PSALM and HyperSeg do alike.

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

Key = tuple[int, int]  # index of the frame, identity of the prompt
ROWS = 32  # prompts per batch
_TEXT_TASKS = (Task.REASON, Task.CHAT)
_MASK_TASKS = (
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
    """Frames, their sizes on the way through the network, step 1's features and its seconds."""

    frames: tuple[Frame, ...]
    geometries: tuple[ImageGeometry, ...]
    features: Any
    seconds: float


class Row(NamedTuple):
    """One sequence for the language model; several regions of a request may be rows of their own.

    regions: masks (R, S, S) of its REGION placeholders. text: what was generated on the way.
    """

    key: Key
    request: PromptRequest
    sequence: TokenSequence
    regions: Tensor | None = None
    text: str = ""


class PromptedSegmenter(ABC):
    """See ``Segmenter``. Deterministic: the same frames and prompts, the same predictions.

    generates_text: whether its language model was trained to generate text.
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
        self.thresholds: Thresholds = model.config
        self.generates_text: bool = model.config.generates_text
        self.tasks = frozenset((*_MASK_TASKS, Task.CHAT) if self.generates_text else _MASK_TASKS)
        model.eval().to(device)

    @abstractmethod
    def encode(self, frames: Sequence[Frame]) -> EncodedFrames:
        """Step 1 for a batch of frames of any sizes."""

    @abstractmethod
    def rows(self, encoded: EncodedFrames, key: Key, request: PromptRequest) -> list[Row]:
        """The sequences of a request. Raises UsageError for an empty prompt."""

    @abstractmethod
    def run(self, encoded: EncodedFrames, rows: Sequence[Row], kind: ConditionKind) -> MaskOutput:
        """Steps 2 to 4 for rows of one kind."""

    @abstractmethod
    def generate_answer(self, encoded: EncodedFrames, request: PromptRequest, text: str) -> str:
        """The generated answer to a question, '' where masks come without text."""

    def unknown_words(self, text: str) -> list[str]:
        """Words of a prompt that its tokenizer cannot tell from one another."""
        return self.tokenizer.unknown_words(text)

    @torch.inference_mode()
    def predict(
        self, encoded: EncodedFrames, requests: Sequence[PromptRequest]
    ) -> list[Prediction]:
        """Steps 2 to 4; prompts of one kind share batches. A question's text answer is generated
        too, if the model was trained for it; Task.CHAT wants text alone.

        Raises NotFiniteError, and UsageError for Task.CHAT if the model generates no text.
        """
        start = time.perf_counter()
        masked = {_key(request): request for request in requests if request.task is not Task.CHAT}
        outputs, texts = self._run_requests(encoded, masked)
        for key, request in masked.items():
            check_finite(outputs[key], encoded.frames[request.frame])
        texts |= {_key(r): self._text(encoded, r) for r in requests if r.task in _TEXT_TASKS}
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start}
        return [
            build_prediction(
                request,
                encoded.frames[request.frame],
                encoded.geometries[request.frame],
                outputs.get(_key(request), ()),
                self.thresholds,
                seconds,
                texts[_key(request)],
            )
            for request in requests
        ]

    def _text(self, encoded: EncodedFrames, request: PromptRequest) -> str:
        if not isinstance(request.prompt, Expression | Question):
            raise UsageError("Chat takes text, not names or regions: ask a question.")
        if self.generates_text:
            return self.generate_answer(encoded, request, request.prompt.text)
        if request.task is Task.CHAT:
            raise UsageError(
                f"The {self.name} model was not trained to generate text, it predicts masks alone:"
                " choose another with --model."
            )
        return ""

    def _run_requests(
        self, encoded: EncodedFrames, requests: Mapping[Key, PromptRequest]
    ) -> tuple[dict[Key, list[PromptOutput]], dict[Key, str]]:
        """Scores and masks of each different prompt, and the text generated on the way."""
        rows = [
            row for key, request in requests.items() for row in self.rows(encoded, key, request)
        ]
        outputs: dict[Key, list[PromptOutput]] = {key: [] for key in requests}
        for kind in ConditionKind:
            of_kind = [row for row in rows if kind_of(row.request) is kind]
            for first in range(0, len(of_kind), ROWS):
                chunk = of_kind[first : first + ROWS]
                output = self.run(encoded, chunk, kind)
                for index, row in enumerate(chunk):
                    scores = output.scores[-1][index][:, : row.sequence.conditions]
                    outputs[row.key].append((scores, output.pred_masks[-1][index]))
        return outputs, {row.key: row.text for row in rows}

    def preprocess(
        self, frames: Sequence[Frame], size: int
    ) -> tuple[Tensor, tuple[ImageGeometry, ...]]:
        """Frames as network input (B, 3, size, size), and their sizes on the way."""
        fitted = [fit_pixels(frame, size) for frame in frames]
        pixels = torch.from_numpy(np.stack([pixels for pixels, _ in fitted])).to(self.device)
        return pixels, tuple(
            ImageGeometry((size, size), content, (frame.height, frame.width))
            for frame, (_, content) in zip(frames, fitted, strict=True)
        )


def _key(request: PromptRequest) -> Key:
    """Requests with one key share an output; their tasks turn it into different predictions."""
    return request.frame, id(request.prompt)


def kind_of(request: PromptRequest) -> ConditionKind:
    """Which kind of condition a request's prompt becomes."""
    if isinstance(request.prompt, Categories):
        return ConditionKind.CATEGORY
    return ConditionKind.REGION if isinstance(request.prompt, Regions) else ConditionKind.SENTENCE
