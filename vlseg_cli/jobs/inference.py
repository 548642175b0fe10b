"""Frames to records: each frame is encoded once for all of its prompts, and no frame is lost.

When memory runs out the batch is halved and tried again; when the model's output is not finite the
frame is found by running its batch one by one, and becomes an error instead of an empty result.
"""

import gc
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace

from vlseg_cli.models.base import Segmenter, SessionState
from vlseg_cli.outputs.records import make_record
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

# The requests for a frame; region prompts depend on its size and may raise UsageError.
RequestsFor = Callable[[Item, Frame], Sequence[PromptRequest]]
FrameResult = list[Record] | VlsegError


class FrameInference(ABC):
    """What runs the model: ``BatchInference`` on single frames, ``TrackingInference`` on videos."""

    batch_size = 1

    @abstractmethod
    def predict(self, frames: Sequence[tuple[Item, Frame]]) -> list[FrameResult]:
        """The records of each frame, or the error, in order."""

    def begin(self, chunk: int, state: SessionState | None) -> None:  # noqa: B027
        """Start a video at chunk number ``chunk``; state: as the chunk before left it."""

    def state(self) -> SessionState | None:
        """What the rest of the video depends on, None for nothing."""
        return None

    def end(self) -> VlsegError | None:
        """End the video; returns an error of the video as a whole."""
        return None


class BatchInference(FrameInference):
    """Runs batches of frames. ``batch_size`` shrinks when memory runs out and stays small."""

    def __init__(
        self,
        model: Segmenter,
        requests_for: RequestsFor,
        batch_size: int,
        note: Callable[[str], None],
        exact_scores: bool = False,
    ) -> None:
        """exact_scores: see ``JobSettings``."""
        self._exact_scores = exact_scores
        self._model, self._requests_for, self._note = model, requests_for, note
        self.batch_size = batch_size

    def predict(self, frames: Sequence[tuple[Item, Frame]]) -> list[FrameResult]:
        """See ``FrameInference``."""
        results: list[FrameResult] = []
        while len(results) < len(frames):
            batch = frames[len(results) : len(results) + self.batch_size]
            try:
                results += self._predict_batch(batch)
            except NotFiniteError as error:
                results += self._predict_one_by_one(batch, error)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                results += self._halve(batch)
        return results

    def _predict_batch(self, frames: Sequence[tuple[Item, Frame]]) -> list[FrameResult]:
        results: list[FrameResult] = []
        requests: list[PromptRequest] = []
        encoded: list[tuple[Item, Frame, list[Record]]] = []
        for item, frame in frames:
            try:
                of_frame = self._requests_for(item, frame)
            except (InputError, UsageError) as error:
                results.append(error)
                continue
            requests += [replace(request, frame=len(encoded)) for request in of_frame]
            records: list[Record] = []
            encoded.append((item, frame, records))
            results.append(records)
        if requests:
            image_features = self._model.encode([frame for _, frame, _ in encoded])
            predictions = self._model.predict(image_features, requests)
            for request, prediction in zip(requests, predictions, strict=True):
                item, frame, records = encoded[request.frame]
                records.append(make_record(prediction, item, frame.time, self._exact_scores))
        return results

    def _predict_one_by_one(
        self, frames: Sequence[tuple[Item, Frame]], error: NotFiniteError
    ) -> list[FrameResult]:
        """Only the frame with the non-finite output fails."""
        if len(frames) == 1:
            return [error]
        results: list[FrameResult] = []
        for frame in frames:
            try:
                results += self._predict_batch([frame])
            except NotFiniteError as own:
                results.append(own)
        return results

    def _halve(self, frames: Sequence[tuple[Item, Frame]]) -> list[FrameResult]:
        """Halve the batch size for the rest of the run, or give up on a single frame."""
        if len(frames) == 1:
            return [too_large(frames[0][1])]
        _free_memory()
        self.batch_size = max(1, len(frames) // 2)
        self._note(f"Out of memory: continuing with batches of {self.batch_size}.")
        return []


def too_large(frame: Frame) -> TooLargeError:
    """The error of a frame for which memory ran out; frees what can be freed."""
    _free_memory()
    return TooLargeError(f"{frame.source} does not fit into memory even alone: shrink it.")


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out: an error of Python, of CUDA, or of torch on the CPU."""
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
