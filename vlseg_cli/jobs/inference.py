"""Frames to records: one look at each frame, all prompts at once, and no frame lost on the way.

Where the memory does not suffice the batch is halved and tried again; where the model's numbers
are not finite the frame is told apart from its batch and reported instead of an empty answer.
"""

import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from vlseg_cli.models.base import Segmenter, SessionState
from vlseg_cli.outputs.records import record_of
from vlseg_cli.schema import (
    Frame,
    InputError,
    Item,
    NotFiniteError,
    PromptRequest,
    Record,
    TooLargeError,
    UsageError,
    VlsegError,
)

# What to ask about a frame; region prompts depend on its size and may raise UsageError.
RequestsFor = Callable[[Item, Frame], Sequence[PromptRequest]]
FrameAnswer = list[Record] | VlsegError


class FrameInference(Protocol):
    """What a run requests: ``BatchInference`` frame by frame, ``TrackingInference`` over time."""

    batch_size: int

    def begin(self, part: int, state: SessionState | None) -> None:
        """A video comes, from its part number ``part`` on; state: what the part before left."""
        ...

    def predict(self, frames: Sequence[tuple[Item, Frame]]) -> list[FrameAnswer]:
        """The records of each frame, or why there are none, in order."""
        ...

    def state(self) -> SessionState | None:
        """What the rest of the video depends on, if on anything."""
        ...

    def end(self) -> VlsegError | None:
        """The video is over; what is wrong with it as a whole, if anything."""
        ...


class BatchInference:
    """Answers batches of frames. ``batch_size`` shrinks when memory runs out and stays there."""

    def __init__(
        self,
        model: Segmenter,
        ask: RequestsFor,
        batch_size: int,
        note: Callable[[str], None],
        exact_scores: bool = False,
    ) -> None:
        """exact_scores: see ``JobSettings``."""
        self._exact = exact_scores
        self._model, self._ask, self._note = model, ask, note
        self.batch_size = batch_size

    def begin(self, part: int, state: SessionState | None) -> None:
        """See ``FrameInference``: a frame depends on none before it."""

    def state(self) -> SessionState | None:
        """See ``FrameInference``."""
        return None

    def end(self) -> VlsegError | None:
        """See ``FrameInference``."""
        return None

    def predict(self, frames: Sequence[tuple[Item, Frame]]) -> list[FrameAnswer]:
        """See ``FrameInference``."""
        answers: list[FrameAnswer] = []
        while len(answers) < len(frames):
            batch = frames[len(answers) : len(answers) + self.batch_size]
            try:
                answers += self._batch(batch)
            except NotFiniteError as error:
                answers += self._apart(batch, error)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                answers += self._after_exhaustion(batch)
        return answers

    def _batch(self, frames: Sequence[tuple[Item, Frame]]) -> list[FrameAnswer]:
        answers: list[FrameAnswer] = []
        asked: list[PromptRequest] = []
        kept: list[Frame] = []
        for item, frame in frames:
            try:
                requests = self._ask(item, frame)
            except (InputError, UsageError) as error:
                answers.append(error)
                continue
            asked += [replace(ask, frame=len(kept)) for ask in requests]
            kept.append(frame)
            answers.append([])
        open_places = [place for place, answer in enumerate(answers) if isinstance(answer, list)]
        if asked:
            predictions = self._model.predict(self._model.encode(kept), asked)
            for ask, prediction in zip(asked, predictions, strict=True):
                place = open_places[ask.frame]
                item, frame = frames[place]
                answer = answers[place]
                assert isinstance(answer, list)
                answer.append(record_of(prediction, item, frame.time, self._exact))
        return answers

    def _apart(
        self, frames: Sequence[tuple[Item, Frame]], error: NotFiniteError
    ) -> list[FrameAnswer]:
        """Answer one by one: only the frame at fault goes without."""
        if len(frames) == 1:
            return [error]
        answers: list[FrameAnswer] = []
        for frame in frames:
            try:
                answers += self._batch([frame])
            except NotFiniteError as own:
                answers.append(own)
        return answers

    def _after_exhaustion(self, frames: Sequence[tuple[Item, Frame]]) -> list[FrameAnswer]:
        """Halve the batch for good (the caller goes on with it), or give up on a single frame."""
        if len(frames) == 1:
            return [too_large(frames[0][1])]
        _free_memory()
        self.batch_size = max(1, len(frames) // 2)
        self._note(f"Out of memory: going on with batches of {self.batch_size}.")
        return []


def too_large(frame: Frame) -> TooLargeError:
    """What to say of a frame for which memory ran out; frees what can be freed."""
    _free_memory()
    return TooLargeError(f"{frame.source} does not fit into memory even alone: shrink it.")


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory ran out: Python's own, CUDA's, or torch's on the CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
    )


def _free_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
