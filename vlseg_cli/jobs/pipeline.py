"""The loop of a run: decoded frames are predicted in batches and handed to the writer.

Decoding runs in a child process and writing in a thread, so the model, here in the main thread,
never waits while it is the slowest. The first SIGINT or SIGTERM (which schedulers send before they
kill) lets the current batch finish, the second stops at once.
"""

import signal
import threading
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from vlseg_cli.jobs.inference import FrameInference
from vlseg_cli.jobs.job import JobSettings
from vlseg_cli.jobs.work_queue import WorkQueue
from vlseg_cli.jobs.work_units import Chunk, FrameSource, ItemResult, Key, WorkUnit
from vlseg_cli.jobs.writer import Writer
from vlseg_cli.media import Request
from vlseg_cli.schema import Frame, InputError, Item, Record, VlsegError


class Stop:
    """Whether to stop: after a signal, or after a failure with ``--fail-fast``."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.failed = False

    def __bool__(self) -> bool:
        return self.failed or self.signal is not None

    @property
    def exit_code(self) -> int:
        """130 for SIGINT, 143 for SIGTERM, 0 without a signal."""
        return 0 if self.signal is None else 128 + self.signal


@contextmanager
def stop_on_signals(
    note: Callable[[str], None], insistent: Container[int] = (signal.SIGINT, signal.SIGTERM)
) -> Iterator[Stop]:
    """Catch SIGINT and SIGTERM during the block; the old handlers are restored afterwards.

    note: called with a message at the first signal. insistent: signals that raise KeyboardInterrupt
    if they come second; others are ignored then. Outside the main thread, where Python delivers no
    signals, nothing is caught.
    """
    stop = Stop()

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.signal is not None:
            if number in insistent:
                raise KeyboardInterrupt
            return
        stop.signal = number
        note(
            "Stopping after the current batch; a second signal stops at once. The same command"
            " resumes."
        )

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Everything that a run consists of."""

    queue: WorkQueue
    source: FrameSource
    inference: FrameInference
    writer: Writer
    stop: Stop
    settings: JobSettings

    def run(self) -> None:
        """Process all units; on a stop returns early and keeps everything that is complete."""
        batch: list[tuple[Item, Frame]] = []
        results: list[ItemResult] = []
        for (unit, item), frames in self.source.read(self._requests()):
            if self.stop:
                return
            if unit.is_video:
                self._run_video(unit, item, frames)
                continue
            results.append(_read_image(item, frames, batch))
            if item is unit.items[-1]:
                self._run_images(unit, results, batch)
                batch, results = [], []

    def _requests(self) -> Iterator[tuple[Key, Request]]:
        for unit in self.queue.units():
            for item in unit.items:
                if self.stop:
                    return
                request = Request(Path(item.source), item.is_video, self.settings.clip, unit.frames)
                yield (unit, item), request

    def _run_images(
        self, unit: WorkUnit, results: list[ItemResult], batch: list[tuple[Item, Frame]]
    ) -> None:
        """Predict a batch of images and end its only chunk."""
        by_item = {result.item.number: result for result in results}
        predicted = self.inference.predict(batch)
        for (item, frame), records in zip(batch, predicted, strict=True):
            result = by_item[item.number]
            if isinstance(records, VlsegError):
                result.fail(records)
            else:
                result.frames, result.records = 1, records
                self.writer.write(frame, item, 0, records)
        self._end(Chunk(unit, 0, True, tuple(results)))

    def _run_video(self, unit: WorkUnit, item: Item, frames: Iterator[Frame]) -> None:
        """Predict a video batch by batch, chunk by chunk, from where the last run stopped."""
        result, chunk = ItemResult(item), unit.chunks
        self.inference.begin(chunk, self.queue.state(unit))
        batch: list[tuple[Item, Frame]] = []
        failure: InputError | None = None
        while True:
            try:
                frame = next(frames, None)
            except InputError as error:
                frame, failure = None, error
            if self.stop:
                self.writer.abandon()
                return
            is_full = result.frames + len(batch) == self.settings.chunk_frames
            if batch and (frame is None or is_full or len(batch) == self.inference.batch_size):
                self._predict(batch, result, chunk)
                batch = []
            if frame is None:
                break
            if is_full:
                self._end(Chunk(unit, chunk, False, (result,), self.inference.state()))
                result, chunk = ItemResult(item), chunk + 1
            batch.append((item, frame))
        for problem in (failure, self.inference.end()):
            if problem is not None:
                result.fail(problem)
        self._end(Chunk(unit, chunk, True, (result,)))

    def _predict(self, batch: list[tuple[Item, Frame]], result: ItemResult, chunk: int) -> None:
        for (item, frame), predicted in zip(batch, self.inference.predict(batch), strict=True):
            records: list[Record] = []
            if isinstance(predicted, VlsegError):
                result.fail(predicted, f"frame {frame.index}: ")
            else:
                records = predicted
            result.frames += 1
            result.records += records
            self.writer.write(frame, item, chunk, records)

    def _end(self, chunk: Chunk) -> None:
        self.writer.end(chunk)
        if self.settings.fail_fast and any(one.error is not None for one in chunk.results):
            self.stop.failed = True


def _read_image(item: Item, frames: Iterator[Frame], batch: list[tuple[Item, Frame]]) -> ItemResult:
    """Append an image to the batch, or record why it cannot be read."""
    result = ItemResult(item)
    try:
        batch += [(item, frame) for frame in frames]
    except InputError as error:
        result.fail(error)
    return result
