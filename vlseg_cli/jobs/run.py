"""A job from beginning to end: open it, do what is left, finish it if nothing is."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache, partial

from vlseg_cli.jobs.finish import finish, unfit_formats
from vlseg_cli.jobs.inference import BatchInference, FrameInference
from vlseg_cli.jobs.job import LOCK, STATE_FOLDER, WORK, Job, JobSettings
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.lease import locked
from vlseg_cli.jobs.open_job import name_items, open_job
from vlseg_cli.jobs.pipeline import Pipeline, stop_on_signals
from vlseg_cli.jobs.tracking import TrackingInference
from vlseg_cli.jobs.work_queue import JournaledQueue, TransientQueue
from vlseg_cli.jobs.work_units import FrameSource, ItemResult
from vlseg_cli.jobs.writer import Writer
from vlseg_cli.media import Decoder
from vlseg_cli.models.base import Segmenter, require_video
from vlseg_cli.outputs import open_sinks
from vlseg_cli.schema import (
    FencedError,
    FormatError,
    Frame,
    Input,
    InputError,
    Item,
    OutputError,
    PromptRequest,
    Record,
    TooLargeError,
)

_POLL_SECONDS = 0.5  # while other processes hold what is left

# The requests for a frame, given the loaded model.
BuildRequests = Callable[[Segmenter, Item, Frame], Sequence[PromptRequest]]


class JobProgress:
    """Receives the progress of a run, here without effect; calls come from one thread at a time."""

    def start(self, total: int, done: int) -> None:
        """The number of inputs, and of those that earlier runs completed."""

    def frames(self, count: int) -> None:
        """That many more frames are predicted and written."""

    def item(self, source: str, error: str | None) -> None:
        """An input is complete, or has failed with this error."""

    def records(self, records: Sequence[Record]) -> None:
        """Records that were just written."""

    def note(self, text: str) -> None:
        """A message for the user."""


@dataclass(slots=True)
class Summary:
    """The result of a run. before: inputs that earlier runs completed. left: inputs not done yet.

    failed: error and exit code by input. unfit: reason by format that cannot hold the results.
    stopped: the exit code of a signal, else 0.
    """

    total: int
    before: set[str] = field(default_factory=set)
    failed: dict[str, tuple[str, int]] = field(default_factory=dict)
    unfit: dict[str, str] = field(default_factory=dict)
    left: int = 0
    finished: bool = False
    stopped: int = 0

    @property
    def exit_code(self) -> int:
        """That of the signal; of the only input; of an input that was too large; 3 or 0."""
        codes = {code for _, code in self.failed.values()}
        if self.stopped or not (codes or self.unfit):
            return self.stopped
        if not codes:
            return FormatError.exit_code
        if self.total == 1:
            return codes.pop()
        too_large = TooLargeError.exit_code
        return too_large if too_large in codes else InputError.exit_code


def run_job(
    job: Job,
    settings: JobSettings,
    inputs: Sequence[Input],
    load: Callable[[], Segmenter],
    requests_for: BuildRequests,
    progress: JobProgress,
) -> Summary:
    """Process all inputs that are not done yet; the model is loaded only if there are any.

    Raises UsageError if the folder holds another job, OutputError if it cannot be written to, and
    whatever ``load`` raises.
    """

    @cache
    def load_inference() -> FrameInference:
        return _inference(settings, load(), requests_for, progress)

    if not (settings.formats or settings.keep_records):
        return _run_transient(settings, inputs, load_inference, progress)
    folder, overwrite, retry = settings.folder, settings.overwrite, settings.retry_failed
    is_late = False
    while True:
        try:
            journal = open_job(folder, job, inputs, overwrite, retry, is_late)
            overwrite = retry = False
            return _run_in_folder(settings, journal, inputs, load_inference, progress)
        except OutputError as error:
            if not (isinstance(error, FencedError) or folder.is_fenced):
                raise
            if not folder.root.is_dir():
                message = f"{folder.root} is gone: another program has removed it."
                raise OutputError(message) from error
            is_late = True
            progress.note(
                "Other processes have taken over inputs of this one, which was stopped for too"
                " long; it goes on with what is left."
            )
        finally:
            folder.unstage()


def _run_in_folder(
    settings: JobSettings,
    journal: Journal,
    inputs: Sequence[Input],
    load_inference: Callable[[], FrameInference],
    progress: JobProgress,
) -> Summary:
    """Raises FencedError if other processes take over what this one is doing."""
    sources = {item.source for item in inputs}
    wanted = {item.number for item in journal.items if item.source in sources}
    before = {journal.items[n].source for n in wanted if journal.is_done(n)}
    summary = Summary(len(wanted), before)
    progress.start(len(wanted), len(before))
    is_repeated = True
    while is_repeated and not summary.stopped:
        if _left(journal, wanted):
            summary.stopped = _run_journaled(settings, journal, wanted, load_inference, progress)
        is_repeated = False
        if not summary.stopped and not journal.is_finished:
            is_repeated = _finish_if_complete(settings, journal, progress)
    summary.failed = {
        journal.items[n].source: journal.errors[n] for n in sorted(journal.errors) if n in wanted
    }
    summary.left = _left(journal, wanted)
    summary.finished = not summary.stopped and journal.is_finished
    if summary.finished:
        summary.unfit = unfit_formats(settings.folder)
        for reason in summary.unfit.values():
            progress.note(reason)
    return summary


def _left(journal: Journal, wanted: Iterable[int]) -> int:
    return sum(not journal.is_done(number) for number in wanted)


def _run_journaled(
    settings: JobSettings,
    journal: Journal,
    wanted: set[int],
    load_inference: Callable[[], FrameInference],
    progress: JobProgress,
) -> int:
    """Run until this process can do nothing more; returns an exit code if stopped."""
    videos = any(journal.items[number].is_video for number in wanted)
    queue = JournaledQueue(settings.folder, journal, settings.batch_size, settings.shard, wanted)
    is_waiting = False
    with (
        closing(journal),
        closing(queue),
        stop_on_signals(progress.note) as stop,
        _source(settings) as source,
    ):
        inference = load_inference()  # the decoder starts meanwhile
        while True:
            sinks = open_sinks(settings.formats, settings.folder, videos)
            with Writer([*sinks, *settings.sinks], queue, partial(_report, progress)) as writer:
                Pipeline(queue, source, inference, writer, stop, settings).run()
            journal.refresh()
            left = _left(journal, wanted)
            if not left or stop or settings.shard.count > 1:
                return stop.exit_code
            if not is_waiting:
                progress.note(f"Waiting for {left} inputs that other processes work on.")
                is_waiting = True
            time.sleep(_POLL_SECONDS)


def _run_transient(
    settings: JobSettings,
    inputs: Sequence[Input],
    load_inference: Callable[[], FrameInference],
    progress: JobProgress,
) -> Summary:
    """Process everything and keep nothing (``--save none``)."""
    items = name_items(inputs, settings.folder.root)
    queue = TransientQueue(items, settings.batch_size, settings.shard)
    summary = Summary(len(inputs), finished=True)
    progress.start(len(inputs), 0)

    def done(result: ItemResult, is_last: bool) -> None:
        _report(progress, result, is_last)
        if result.error is not None:
            summary.failed.setdefault(result.item.source, (result.error, result.exit_code))

    with stop_on_signals(progress.note) as stop, _source(settings) as source:
        inference = load_inference()
        with Writer(settings.sinks, queue, done) as writer:
            Pipeline(queue, source, inference, writer, stop, settings).run()
    summary.stopped = stop.exit_code
    return summary


def _inference(
    settings: JobSettings, model: Segmenter, requests_for: BuildRequests, progress: JobProgress
) -> FrameInference:
    """For single frames or for tracking. Raises UsageError if the model cannot track."""
    of_model = partial(requests_for, model)
    exact = settings.exact_scores
    single = BatchInference(model, of_model, settings.batch_size, progress.note, exact)
    if not settings.tracking:
        return single
    images = single if settings.images_too else None
    return TrackingInference(require_video(model), of_model, images, exact)


def _source(settings: JobSettings) -> FrameSource:
    """By default a decoder one batch ahead: more would be withheld from other processes."""
    if settings.open_source is not None:
        return settings.open_source()
    return Decoder(files_ahead=2 * settings.batch_size)


def _report(progress: JobProgress, result: ItemResult, is_last: bool) -> None:
    progress.frames(result.frames)
    progress.records(result.records)
    if is_last:
        progress.item(result.item.source, result.error)


def _finish_if_complete(settings: JobSettings, journal: Journal, progress: JobProgress) -> bool:
    """Finish the job if nothing is left to do and no other process has finished it.

    Returns True if items were listed again, because their stored results are damaged.
    """
    root, worker = settings.folder.root, journal.worker
    with locked(root, LOCK, worker, root / STATE_FOLDER / WORK) as lock:
        now = Journal(settings.folder, worker)  # other processes may have listed more
        if now.is_finished or not now.is_complete:
            return False
        damaged = now.damaged(range(len(now.items)))
        if not damaged:
            finish(settings.folder, now, settings.formats)
            return False
        progress.note(f"{len(damaged)} inputs are processed again: their results are damaged.")
        now.add_items(damaged, lock)
    journal.read_items()
    return True
