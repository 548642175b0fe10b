"""A job from beginning to end: open it, do what is left, finish it if nothing is.

What the results depend on is in the Job; everything else here only says how to get there.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from vlseg_cli.jobs.finish import finish
from vlseg_cli.jobs.inference import BatchInference, FrameInference
from vlseg_cli.jobs.job import Job, JobSettings
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.layout import LOCK, STATE_FOLDER
from vlseg_cli.jobs.lease import locked
from vlseg_cli.jobs.open_job import name_items, open_job
from vlseg_cli.jobs.pipeline import Pipeline
from vlseg_cli.jobs.stop import Stop, stop_on_signals
from vlseg_cli.jobs.tracking import TrackingInference
from vlseg_cli.jobs.work_queue import JournaledQueue, TransientQueue
from vlseg_cli.jobs.work_units import FrameSource, ItemResult
from vlseg_cli.jobs.writer import Writer
from vlseg_cli.media import Decoder
from vlseg_cli.models.base import Segmenter, require_video
from vlseg_cli.outputs import open_sinks
from vlseg_cli.schema import Frame, Input, Item, PromptRequest, Record

_LOOK_AGAIN = 0.5  # s, while other processes hold what is left

AskAbout = Callable[[Segmenter, Item, Frame], Sequence[PromptRequest]]


class JobProgress(Protocol):
    """Who is told how it goes; calls come from one thread at a time."""

    def start(self, total: int, done: int) -> None:
        """So many inputs in all, and done before this run."""
        ...

    def frames(self, count: int) -> None:
        """So many more frames are answered and written."""
        ...

    def item(self, source: str, error: str | None) -> None:
        """An input is complete, or has failed for this reason."""
        ...

    def records(self, records: Sequence[Record]) -> None:
        """Answers that were just written."""
        ...

    def note(self, text: str) -> None:
        """Something a person should know."""
        ...


@dataclass(slots=True)
class Summary:
    """How a run went. before: inputs answered by earlier runs. left: not done by anybody yet."""

    total: int
    before: set[str] = field(default_factory=set)
    failed: dict[str, tuple[str, int]] = field(default_factory=dict)
    left: int = 0
    finished: bool = False
    stopped: int = 0

    @property
    def exit_code(self) -> int:
        """Of the process: the only input's own, 6 if memory did not suffice, else 3, or 0."""
        codes = {code for _, code in self.failed.values()}
        if self.stopped or not codes:
            return self.stopped
        return codes.pop() if self.total == 1 else 6 if 6 in codes else 3


def run_job(
    job: Job,
    settings: JobSettings,
    found: Sequence[Input],
    load: Callable[[], Segmenter],
    ask: AskAbout,
    progress: JobProgress,
) -> Summary:
    """Answer all inputs that are not answered yet; the model is loaded only if there are any.

    Raises UsageError if the folder holds another job, OutputError if it cannot be written to, and
    whatever ``load`` raises.
    """

    def answers() -> FrameInference:
        return _answers(settings, load(), ask, progress)

    if not (settings.formats or settings.keep_records):
        return _run_passing(settings, found, answers, progress)
    journal = open_job(settings.folder, job, found, settings.overwrite, settings.again)
    sources = {item.source for item in found}
    mine = {item.number for item in journal.items if item.source in sources}
    before = {journal.items[n].source for n in mine if journal.is_done(n)}
    summary = Summary(len(mine), before)
    progress.start(len(mine), len(before))
    if len(before) < len(mine):
        summary.stopped = _run_journaled(settings, journal, mine, answers, progress)
    summary.failed = {
        journal.items[n].source: journal.errors[n] for n in sorted(journal.errors) if n in mine
    }
    summary.left = sum(not journal.is_done(n) for n in mine)
    if not summary.stopped:
        summary.finished = _finish_if_complete(settings, journal)
    return summary


def _run_journaled(
    settings: JobSettings,
    journal: Journal,
    mine: set[int],
    answers: Callable[[], FrameInference],
    progress: JobProgress,
) -> int:
    """Run until nothing is left that this process could do; returns an exit code if stopped."""
    videos = any(journal.items[number].is_video for number in mine)
    work = JournaledQueue(settings.folder, journal, settings.batch_size, settings.shard, mine)
    is_told = False
    with closing(journal), closing(work), _opened(settings, progress) as (source, stop):
        answering = answers()  # the decoder starts meanwhile
        while True:
            sinks = open_sinks(settings.formats, settings.folder, videos)
            with Writer([*sinks, *settings.watchers], work, partial(_done, progress)) as writer:
                Pipeline(work, source, answering, writer, stop, settings).run()
            journal.refresh()
            left = [n for n in mine if not journal.is_done(n)]
            if not left or stop or settings.shard.count > 1:
                return stop.exit_code
            if not is_told:
                progress.note(f"Waiting for {len(left)} inputs that other processes work on.")
                is_told = True
            time.sleep(_LOOK_AGAIN)


def _run_passing(
    settings: JobSettings,
    found: Sequence[Input],
    answers: Callable[[], FrameInference],
    progress: JobProgress,
) -> Summary:
    """Answer everything and keep nothing."""
    items = name_items(found, settings.folder.root)
    work = TransientQueue(items, settings.batch_size, settings.shard)
    summary = Summary(len(found), finished=True)
    progress.start(len(found), 0)

    def done(share: ItemResult, last: bool) -> None:
        _done(progress, share, last)
        if share.error is not None:
            summary.failed.setdefault(share.item.source, (share.error, share.exit_code))

    with _opened(settings, progress) as (source, stop):
        answering = answers()
        with Writer(settings.watchers, work, done) as writer:
            Pipeline(work, source, answering, writer, stop, settings).run()
    summary.stopped = stop.exit_code
    return summary


def _answers(
    settings: JobSettings, model: Segmenter, ask: AskAbout, progress: JobProgress
) -> FrameInference:
    """What answers frames: each alone, or through time. Raises UsageError if the model cannot."""
    asking = partial(ask, model)
    exact = settings.exact_scores
    alone = BatchInference(model, asking, settings.batch_size, progress.note, exact)
    if not settings.through_time:
        return alone
    images = alone if settings.pictures_too else None
    return TrackingInference(require_video(model), asking, images, exact)


@contextmanager
def _opened(settings: JobSettings, progress: JobProgress) -> Iterator[tuple[FrameSource, Stop]]:
    """What gives frames, and what hears signals."""
    with stop_on_signals(progress.note) as stop, _source(settings) as source:
        yield source, stop


def _source(settings: JobSettings) -> FrameSource:
    """A decoder that is a batch ahead: more would be kept from other processes."""
    if settings.open_source is not None:
        return settings.open_source()
    return Decoder(files_ahead=2 * settings.batch_size)


def _done(progress: JobProgress, share: ItemResult, last: bool) -> None:
    progress.frames(share.frames)
    progress.records(share.records)
    if last:
        progress.item(share.item.source, share.error)


def _finish_if_complete(settings: JobSettings, journal: Journal) -> bool:
    """Finish the job if this process is the one that finds nothing left to do."""
    if journal.is_finished:
        return True
    with locked(settings.folder.root, LOCK):
        if not (settings.folder.root / STATE_FOLDER).exists():
            return True  # another process has just done it
        journal.refresh()
        if not journal.is_complete:
            return False
        finish(settings.folder, journal, settings.formats)
    return True
