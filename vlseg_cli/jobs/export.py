"""Further formats of a job's records, at any time; overlays are drawn on the inputs again."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from vlseg_cli.jobs.finish import JobRecords
from vlseg_cli.jobs.job import EXPORT, WORK, Job, existing_job
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.lease import locked, worker_name
from vlseg_cli.jobs.ownership import claim_exports, sweep_exports
from vlseg_cli.media import Decoder
from vlseg_cli.outputs import OutputFolder, Sink, close_formats, open_sinks
from vlseg_cli.schema import Frame, FrameRange, InputError, Item, Record


def export_job(
    root: Path, formats: Sequence[str], out: Path, failed: Callable[[str, InputError], None]
) -> int:
    """Write formats of everything that is done in the job at ``root`` to ``out``.

    failed: called with each input that can no longer be read; the others go on. Returns the number
    of inputs. Raises UsageError if there is no job, OutputError if something cannot be written.
    """
    job, worker, target = existing_job(root), worker_name(), OutputFolder(out)
    target.make()
    target.stage_in(EXPORT, WORK, worker)
    try:
        with locked(out, EXPORT, worker, out / EXPORT / WORK):
            target.check_staging()
            sweep_exports(target, worker)
            claim_exports(target, root, job, formats)
            return _export(root, job, formats, target, failed)
    finally:
        target.unstage()


def _export(
    root: Path,
    job: Job,
    formats: Sequence[str],
    target: OutputFolder,
    failed: Callable[[str, InputError], None],
) -> int:
    journal = Journal(OutputFolder(root), worker_name())
    records = JobRecords(OutputFolder(root), journal)
    sinks = open_sinks(formats, target)
    clip, chunk_frames = FrameRange(**job.options["clip"]), job.options["part"]
    count = 0
    with Decoder() as decoder:
        for item, of_item in records.by_item():
            count += 1
            if sinks and (kept := journal.frames(item.number)):
                frames = _kept_frames(decoder.frames(Path(item.source), clip), kept)
                try:
                    _write(item, of_item, sinks, frames, chunk_frames)
                except InputError as error:
                    failed(item.source, error)
    for unfit in close_formats(formats, records, target).values():
        raise unfit
    return count


def _kept_frames(frames: Iterator[Frame], kept: int) -> Iterator[Frame]:
    """The frames of an input, which may be damaged where it was in the run: after ``kept``."""
    count = 0
    try:
        for frame in frames:
            yield frame
            count += 1
    except InputError:
        if count < kept:
            raise


def _write(
    item: Item,
    records: Iterator[Record],
    sinks: Sequence[Sink],
    frames: Iterator[Frame],
    chunk_frames: int,
) -> None:
    """Pass an item to the sinks as the run did."""
    by_frame = groupby(records, key=lambda record: record.frame)
    index, of_frame = next(by_frame, (-1, iter(())))
    chunk = count = 0
    try:
        for count, frame in enumerate(frames, start=1):
            if count > 1 and count % chunk_frames == 1:
                chunk += 1
            own: list[Record] = []
            if index == frame.index:
                own = list(of_frame)
                index, of_frame = next(by_frame, (-1, iter(())))
            for sink in sinks:
                sink.write(frame, item, chunk, own)
                if count % chunk_frames == 0:
                    sink.end_chunk(item, chunk)
    except InputError:
        for sink in sinks:
            sink.abandon()
        raise
    for sink in sinks:
        if count % chunk_frames:
            sink.end_chunk(item, chunk)
        sink.end_item(item, chunk + 1)
        sink.remove_chunks(item)
