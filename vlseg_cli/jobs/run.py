"""A job from beginning to end: open it, do what is left, finish it if nothing is.

What the results depend on is in the Job; everything else here only says how to get there.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from vlseg_cli.jobs.answering import Answering, Answers
from vlseg_cli.jobs.answering import AskAbout as AskOfFrame
from vlseg_cli.jobs.finish import finish
from vlseg_cli.jobs.job import Job
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.layout import LOCK, WORKSHOP
from vlseg_cli.jobs.lease import locked
from vlseg_cli.jobs.listing import name_items
from vlseg_cli.jobs.opening import open_job
from vlseg_cli.jobs.pipeline import FrameSource, Pipeline
from vlseg_cli.jobs.shard import Shard
from vlseg_cli.jobs.stop import Stop, listening
from vlseg_cli.jobs.unit import Share
from vlseg_cli.jobs.watching import Watching
from vlseg_cli.jobs.work import JournaledWork, PassingWork, Work
from vlseg_cli.jobs.writer import Writer
from vlseg_cli.media import Decoder
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.models.session import require_video
from vlseg_cli.outputs import OutputFolder, Sink, open_sinks
from vlseg_cli.schema import Ask, Clip, Frame, Input, Item, Record

PART_FRAMES = 240  # of a video between two lines of the journal: what a kill can cost
_LOOK_AGAIN = 0.5  # s, while other processes hold what is left

AskAbout = Callable[[Segmenter, Item, Frame], Sequence[Ask]]


class Progress(Protocol):
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


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run a job.

    formats: names of --save; () keeps nothing at all, unless keep_records asks for the record store
    alone. again: failed inputs are work to do, too. through_time: things are followed through
    videos; pictures are inputs only if pictures_too. open_source: where frames come from, None for
    the files that the inputs name. watchers: are given every answer that this process makes.
    """

    folder: OutputFolder
    formats: tuple[str, ...]
    clip: Clip = field(default_factory=Clip)
    batch_size: int = 1
    part_frames: int = PART_FRAMES
    shard: Shard = field(default_factory=Shard)
    overwrite: bool = False
    again: bool = False
    fail_fast: bool = False
    through_time: bool = False
    pictures_too: bool = False
    keep_records: bool = False
    open_source: Callable[[], FrameSource] | None = None
    watchers: tuple[Sink, ...] = ()


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
    settings: Settings,
    found: Sequence[Input],
    load: Callable[[], Segmenter],
    ask: AskAbout,
    progress: Progress,
) -> Summary:
    """Answer all inputs that are not answered yet; the model is loaded only if there are any.

    Raises UsageError if the folder holds another job, OutputError if it cannot be written to, and
    whatever ``load`` raises.
    """
    if not (settings.formats or settings.keep_records):
        return _run_passing(settings, found, load, ask, progress)
    journal = open_job(settings.folder, job, found, settings.overwrite, settings.again)
    sources = {item.source for item in found}
    mine = {item.number for item in journal.items if item.source in sources}
    before = {journal.items[n].source for n in mine if journal.is_done(n)}
    summary = Summary(len(mine), before)
    progress.start(len(mine), len(before))
    if len(before) < len(mine):
        work = JournaledWork(settings.folder, journal, settings.batch_size, settings.shard, mine)
        try:
            summary.stopped = _work(settings, work, journal, mine, load, ask, progress)
        finally:
            work.close()
            journal.close()
    summary.failed = {
        journal.items[n].source: journal.errors[n] for n in sorted(journal.errors) if n in mine
    }
    summary.left = sum(not journal.is_done(n) for n in mine)
    if not summary.stopped:
        summary.finished = _finish_if_complete(settings, journal)
    return summary


def _work(
    settings: Settings,
    work: JournaledWork,
    journal: Journal,
    mine: set[int],
    load: Callable[[], Segmenter],
    ask: AskAbout,
    progress: Progress,
) -> int:
    """Run until nothing is left that this process could do; returns an exit code if stopped."""
    videos = any(journal.items[number].is_video for number in mine)
    with listening(progress.note) as stop, _source(settings) as source:
        done = partial(_done, progress)
        run = _prepared(settings, work, source, stop, load, ask, progress)
        waiting = False
        while True:
            sinks = open_sinks(settings.formats, settings.folder, videos)
            with Writer([*sinks, *settings.watchers], work, done) as writer:
                run(writer)
            journal.refresh()
            left = [n for n in mine if not journal.is_done(n)]
            if not left or stop or settings.shard.count > 1:
                return stop.exit_code
            if not waiting:
                progress.note(f"Waiting for {len(left)} inputs that other processes work on.")
                waiting = True
            time.sleep(_LOOK_AGAIN)


def _run_passing(
    settings: Settings,
    found: Sequence[Input],
    load: Callable[[], Segmenter],
    ask: AskAbout,
    progress: Progress,
) -> Summary:
    """Answer everything and keep nothing."""
    items = name_items(found, settings.folder.root)
    work = PassingWork(items, settings.batch_size, settings.shard)
    summary = Summary(len(found), finished=True)
    progress.start(len(found), 0)

    def done(share: Share, last: bool) -> None:
        _done(progress, share, last)
        if share.error is not None:
            summary.failed.setdefault(share.item.source, (share.error, share.exit_code))

    with listening(progress.note) as stop, _source(settings) as source:
        run = _prepared(settings, work, source, stop, load, ask, progress)
        with Writer(settings.watchers, work, done) as writer:
            run(writer)
    summary.stopped = stop.exit_code
    return summary


def _prepared(
    settings: Settings,
    work: Work,
    source: FrameSource,
    stop: Stop,
    load: Callable[[], Segmenter],
    ask: AskAbout,
    progress: Progress,
) -> Callable[[Writer], None]:
    """Load the model (a decoder starts meanwhile); returns what runs all units once."""
    model = load()
    answering = _answers(settings, model, partial(ask, model), progress)

    def run(writer: Writer) -> None:
        Pipeline(
            work,
            source,
            answering,
            writer,
            stop,
            settings.clip,
            settings.part_frames,
            settings.fail_fast,
        ).run()

    return run


def _answers(settings: Settings, model: Segmenter, ask: AskOfFrame, progress: Progress) -> Answers:
    """What answers frames: each alone, or through time. Raises UsageError if the model cannot."""
    alone = Answering(model, ask, settings.batch_size, progress.note)
    if not settings.through_time:
        return alone
    return Watching(require_video(model), ask, alone if settings.pictures_too else None)


def _source(settings: Settings) -> FrameSource:
    """A decoder that is a batch ahead: more would be kept from other processes."""
    if settings.open_source is not None:
        return settings.open_source()
    return Decoder(files_ahead=2 * settings.batch_size)


def _done(progress: Progress, share: Share, last: bool) -> None:
    progress.frames(share.frames)
    progress.records(share.records)
    if last:
        progress.item(share.item.source, share.error)


def _finish_if_complete(settings: Settings, journal: Journal) -> bool:
    """Finish the job if this process is the one that finds nothing left to do."""
    if journal.is_finished:
        return True
    with locked(settings.folder.root, LOCK):
        if not (settings.folder.root / WORKSHOP).exists():
            return True  # another process has just done it
        journal.refresh()
        if not journal.is_complete:
            return False
        finish(settings.folder, journal, settings.formats)
    return True
