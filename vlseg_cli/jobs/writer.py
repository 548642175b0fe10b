"""The writing half of a run, in a thread of its own: draw, encode, sync, journal.

A short queue lies between it and the model, so that they overlap and memory stays constant.
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from queue import Queue
from types import TracebackType
from typing import Self

from vlseg_cli.jobs.work_queue import WorkQueue
from vlseg_cli.jobs.work_units import Chunk, ItemResult
from vlseg_cli.outputs import Sink
from vlseg_cli.schema import Frame, InputError, Item, Record

_AHEAD = 8  # frames that may wait to be written

Step = Callable[[], None]


class Writer:
    """Hands frames to sinks and completed parts to the work, in order.

    Use it in a ``with`` statement; whatever fails in the thread is raised at the next call or at
    the end of the block. A sink that finds the source of an item gone (InputError) makes nothing of
    that item, which then counts as failed; the others go on.
    """

    def __init__(
        self, sinks: Sequence[Sink], work: WorkQueue, done: Callable[[ItemResult, bool], None]
    ) -> None:
        """done: told of each share of a completed part, and whether it was the item's last."""
        self._sinks, self._work, self._done = sinks, work, done
        self._steps: Queue[Step | None] = Queue(_AHEAD)
        self._error: BaseException | None = None
        self._lost: dict[tuple[Sink, int], InputError] = {}  # by sink and number of the item
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def write(self, frame: Frame, item: Item, part: int, records: Sequence[Record]) -> None:
        """Let every sink take a frame."""
        for sink in self._sinks:
            write = partial(sink.write, frame, item, part, records)
            self._put(partial(self._try, sink, item, write))

    def end(self, part: Chunk) -> None:
        """A part is complete: keep it."""
        self._put(partial(self._end, part))

    def abandon(self) -> None:
        """The part under way will not be completed."""
        for sink in self._sinks:
            self._put(sink.abandon)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
        """Work until told to end; after an error go on taking, so that nobody waits for ever."""
        while (step := self._steps.get()) is not None:
            if self._error is None:
                try:
                    step()
                except BaseException as error:
                    self._error = error

    def _try(self, sink: Sink, item: Item, step: Step) -> None:
        """Let a sink do something about an item, unless it has lost it, or does so now."""
        key = sink, item.number
        if key in self._lost:
            return
        try:
            step()
        except InputError as error:
            sink.abandon()
            self._lost[key] = error

    def _end(self, part: Chunk) -> None:
        drawn = [share for share in part.shares if share.frames or part.number]
        for share in drawn:
            for sink in self._sinks:
                self._try(sink, share.item, partial(sink.end_part, share.item, part.number))
                if part.last:
                    end = partial(sink.end_item, share.item, part.number + 1)
                    self._try(sink, share.item, end)
                if error := self._lost.get((sink, share.item.number)):
                    share.fail(error)
        self._work.complete(part)
        for share in part.shares:
            if part.last:
                for sink in self._sinks:
                    sink.forget_parts(share.item)
                    self._lost.pop((sink, share.item.number), None)
            self._done(share, part.last)
