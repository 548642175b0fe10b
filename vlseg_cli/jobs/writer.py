"""The writing half of a run, in a thread of its own: draw, encode, sync, journal.

A short queue lies between it and the model, so that they overlap and memory stays constant.
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from queue import Queue
from typing import Self

from vlseg_cli.jobs.work_queue import WorkQueue
from vlseg_cli.jobs.work_units import Chunk, ItemResult
from vlseg_cli.outputs import Sink
from vlseg_cli.schema import Frame, InputError, Item, Record

_AHEAD = 8  # frames that may wait to be written

Step = Callable[[], None]


class Writer:
    """Passes frames to sinks and completed chunks to the work queue, in order.

    Use it in a ``with`` statement; an error of the thread is raised at the next call or at the end
    of the block. When a sink can no longer read the source of an item (InputError), it writes
    nothing for that item, which then counts as failed; the others go on.
    """

    def __init__(
        self, sinks: Sequence[Sink], queue: WorkQueue, done: Callable[[ItemResult, bool], None]
    ) -> None:
        """done: called with each result of a completed chunk, and whether it is the item's last."""
        self._sinks, self._queue, self._done = sinks, queue, done
        self._steps: Queue[Step | None] = Queue(_AHEAD)
        self._error: BaseException | None = None
        self._lost: dict[tuple[Sink, int], InputError] = {}  # by sink and number of the item
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def write(self, frame: Frame, item: Item, chunk: int, records: Sequence[Record]) -> None:
        """Write a frame to every sink."""
        for sink in self._sinks:
            write = partial(sink.write, frame, item, chunk, records)
            self._put(partial(self._try, sink, item, write))

    def end(self, chunk: Chunk) -> None:
        """A chunk is complete: store it."""
        self._put(partial(self._end, chunk))

    def abandon(self) -> None:
        """The current chunk will not be completed."""
        for sink in self._sinks:
            self._put(sink.abandon)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            for sink in self._sinks:
                self._steps.put(sink.abandon)
        self._steps.put(None)
        self._thread.join()
        if self._error is not None and kind is None:
            raise self._error

    def _put(self, step: Step) -> None:
        if self._error is not None:
            raise self._error
        self._steps.put(step)

    def _run(self) -> None:
        """Work until the end; after an error keep emptying the queue, so that no ``put`` blocks."""
        while (step := self._steps.get()) is not None:
            if self._error is None:
                try:
                    step()
                except BaseException as error:
                    self._error = error

    def _try(self, sink: Sink, item: Item, step: Step) -> None:
        """Run a step of a sink for an item, unless the sink has lost the item or loses it now."""
        key = sink, item.number
        if key in self._lost:
            return
        try:
            step()
        except InputError as error:
            sink.abandon()
            self._lost[key] = error

    def _end(self, chunk: Chunk) -> None:
        for result in chunk.results:
            if not (result.frames or chunk.index):
                continue  # nothing of it was written
            for sink in self._sinks:
                self._try(sink, result.item, partial(sink.end_chunk, result.item, chunk.index))
                if chunk.is_last:
                    end = partial(sink.end_item, result.item, chunk.index + 1)
                    self._try(sink, result.item, end)
                if error := self._lost.get((sink, result.item.number)):
                    result.fail(error)
        files = {
            result.item.number: [
                parts
                for sink in self._sinks
                for parts in sink.chunk_files(result.item, chunk.index)
            ]
            for result in chunk.results
        }
        self._queue.complete(chunk, files)
        for result in chunk.results:
            if chunk.is_last:
                for sink in self._sinks:
                    sink.remove_chunks(result.item)
                    self._lost.pop((sink, result.item.number), None)
            self._done(result, chunk.is_last)
