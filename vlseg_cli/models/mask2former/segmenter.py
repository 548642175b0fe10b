"""Frames and prompts in, predictions out: what PSALM and HyperSeg do alike, in any engine.

A prompt becomes one row, or several; rows of one kind go through the model together. Free of torch,
which ``torch_segmenter.py`` adds.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.models.base import check_finite
from vlseg_cli.models.mask2former.image_processing import fit_regions
from vlseg_cli.models.mask2former.postprocessing import PromptOutput, build_prediction
from vlseg_cli.nn.array_backend import Array
from vlseg_cli.nn.postprocessing import ImageGeometry
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    Prediction,
    Prompt,
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
_QUESTIONS = (Task.REASON, Task.CHAT)
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
    regions: NDArray[np.bool_] | None = None
    text: str = ""


class PromptedSegmenter(ABC):
    """See ``Segmenter``. Deterministic: the same frames and prompts, the same predictions.

    text_tasks: those for which an answer is generated, if its language model was trained to
    (``generates_text``).
    """

    text_tasks: ClassVar[tuple[Task, ...]] = _QUESTIONS

    def __init__(
        self,
        name: str,
        config: Any,
        tokenizer: Tokenizer,
        categories: Sequence[str],
        stuff: Sequence[bool],
    ) -> None:
        """config: a ``MaskModelConfig`` of a system with prompts of regions."""
        self.name, self.categories, self.stuff = name, tuple(categories), tuple(stuff)
        self.config, self.tokenizer, self.positions = config, tokenizer, config.positions
        self.generates_text: bool = config.generates_text
        self.tasks = frozenset((*_MASK_TASKS, Task.CHAT) if self.generates_text else _MASK_TASKS)
        self.prompts = self.build_prompts()

    @abstractmethod
    def build_prompts(self) -> Any:
        """The wordings of this model."""

    @abstractmethod
    def encode(self, frames: Sequence[Frame]) -> EncodedFrames:
        """Step 1 for a batch of frames of any sizes."""

    def sequence(
        self,
        encoded: EncodedFrames,  # noqa: ARG002
        request: PromptRequest,  # noqa: ARG002
        prompt: Prompt,
        video: bool,  # noqa: ARG002
    ) -> tuple[TokenSequence, str]:
        """A request's prompt, or one of its regions, and text generated on the way, if any."""
        return self.prompts.of(prompt), ""

    @abstractmethod
    def run(
        self, encoded: EncodedFrames, rows: Sequence[Row], kind: ConditionKind
    ) -> tuple[Array, Array]:
        """Steps 2 to 4 for P rows of one kind: scores (P, N, K), mask logits (P, N, h, w)."""

    @abstractmethod
    def answer(self, encoded: EncodedFrames, frame: int, question: TokenSequence) -> str:
        """The text generated for a question about frame number ``frame``."""

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
            tensors = (tensor for output in outputs[key] for tensor in output)
            check_finite(encoded.frames[request.frame], *tensors)
        texts |= {_key(r): self._text(encoded, r) for r in requests if r.task in _QUESTIONS}
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start}
        return [
            build_prediction(
                request,
                encoded.frames[request.frame],
                encoded.geometries[request.frame],
                outputs.get(_key(request), ()),
                self.config,
                seconds,
                texts[_key(request)],
            )
            for request in requests
        ]

    def _text(self, encoded: EncodedFrames, request: PromptRequest) -> str:
        if not isinstance(request.prompt, Expression | Question):
            raise UsageError("Chat takes text, not names or regions: ask a question.")
        if self.generates_text and request.task in self.text_tasks:
            question = self.prompts.question(request.prompt.text)
            return self.answer(encoded, request.frame, question)
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
                for row, scores, masks in zip(chunk, *self.run(encoded, chunk, kind), strict=True):
                    outputs[row.key].append((scores[:, : row.sequence.conditions], masks))
        return outputs, {row.key: row.text for row in rows}

    def rows(
        self, encoded: EncodedFrames, key: Key, request: PromptRequest, video: bool = False
    ) -> list[Row]:
        """One sequence, or one for each region where each has its own prompt.

        video: whether it is about a frame of one. Raises UsageError for an empty prompt.
        """
        match request.prompt:
            case Categories(names=()):
                raise UsageError("There is no category to look for: give at least one name.")
            case Regions(regions=()):
                raise UsageError("There is no region to segment: give at least one.")
            case Regions(regions=regions):
                together = [regions] if self.config.regions_together else zip(regions)
                prompts: Iterable[Prompt] = [Regions(tuple(part)) for part in together]
            case prompt:
                prompts = [prompt]
        rows = []
        for prompt in prompts:
            sequence, text = self.sequence(encoded, request, prompt, video)
            masks = [region.mask for region in getattr(prompt, "regions", ())]
            fitted = self.fit_regions(masks) if masks else None
            rows.append(Row(key, request, sequence, fitted, text))
        return rows

    def fit_regions(self, masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """Regions (R) of a frame's size on the grid that they are pooled on, (R, S, S)."""
        return fit_regions(np.stack(masks), self.config.image_size)


def _key(request: PromptRequest) -> Key:
    """Requests with one key share an output; their tasks turn it into different predictions."""
    return request.frame, id(request.prompt)


def kind_of(request: PromptRequest) -> ConditionKind:
    """Which kind of condition a request's prompt becomes."""
    if isinstance(request.prompt, Categories):
        return ConditionKind.CATEGORY
    return ConditionKind.REGION if isinstance(request.prompt, Regions) else ConditionKind.SENTENCE
