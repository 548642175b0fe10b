"""Samples for a job: prefetched in a thread, and kept until they are scored."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

from vlseg_cli.evaluation.plan import EvaluationPlan, Portions, prompt_requests
from vlseg_cli.jobs.work_units import Key
from vlseg_cli.media import Request
from vlseg_cli.models.base import Segmenter
from vlseg_cli.schema import ClipSample, Frame, Item, PromptRequest

_FRAMES_AHEAD = 2  # of a clip

K = TypeVar("K")
V = TypeVar("V")


class SampleSource:
    """A job's source of frames and of the requests about them; see ``jobs.pipeline.FrameSource``.

    ahead: how many images and clips are read in advance.
    """

    def __init__(self, plan: EvaluationPlan, ahead: int) -> None:
        self._plan, self._ahead = plan, ahead
        self._open: dict[str, Portions] = {}  # being predicted or scored
        self._changing = Lock()
        self._pool = ThreadPoolExecutor(1, "prefetch")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def read(
        self, requests: Iterable[tuple[Key, Request]]
    ) -> Iterator[tuple[Key, Iterator[Frame]]]:
        """See ``FrameSource``; a request's file attributes are not used."""
        jobs = ((pair, partial(self._plan.read, pair[0][1].source)) for pair in requests)
        for (key, request), portions in _in_turn(self._pool, jobs, self._ahead):
            yield key, self._frames(key[1], portions, request.skip)

    def requests(self, _model: Segmenter, item: Item, _frame: Frame) -> Sequence[PromptRequest]:
        """The requests about an item; its frames have been read."""
        return prompt_requests(self._open[item.source])

    def take(self, source: str) -> Portions:
        """The samples of an item whose records are complete; they are not kept any longer."""
        with self._changing:
            return self._open.pop(source)

    def drop(self, source: str) -> None:
        """An item will not be scored in this process."""
        with self._changing:
            self._open.pop(source, None)

    def _frames(self, item: Item, portions: Future[Portions], skip: int) -> Iterator[Frame]:
        read = portions.result()
        with self._changing:
            self._open[item.source] = read
        sample = read[0].sample
        if not isinstance(sample, ClipSample):
            yield sample.frame
            return
        frames = ((number, partial(sample.read, number)) for number in range(skip, sample.length))
        for _, frame in _in_turn(self._pool, frames, _FRAMES_AHEAD):
            yield frame.result()


def _in_turn(
    pool: ThreadPoolExecutor, jobs: Iterable[tuple[K, Callable[[], V]]], ahead: int
) -> Iterator[tuple[K, Future[V]]]:
    """The jobs in order, each with its result; the next ``ahead`` ones run meanwhile."""
    waiting: deque[tuple[K, Future[V]]] = deque()
    for key, job in jobs:
        waiting.append((key, pool.submit(job)))
        if len(waiting) > ahead:
            yield waiting.popleft()
    yield from waiting
