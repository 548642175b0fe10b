"""Making more formats of a job's records, at any time; pictures are drawn on the sources again."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.records import JobRecords
from vlseg_cli.jobs.status import job_of
from vlseg_cli.jobs.work_queue import worker_name
from vlseg_cli.media import Decoder
from vlseg_cli.outputs import OutputFolder, Sink, close_formats, open_sinks
from vlseg_cli.schema import FrameRange, InputError, Item, Record


def export_job(
    root: Path, formats: Sequence[str], out: Path, failed: Callable[[str, InputError], None]
) -> int:
    """Write formats of all that is done in the job at ``root`` to ``out``; returns their number.

    failed: told of each source that can no longer be read; the others go on. Raises UsageError if
    there is no job, OutputError if something cannot be written.
    """
    options = job_of(root).options
    journal = Journal(OutputFolder(root), worker_name())
    records, target = JobRecords(OutputFolder(root), journal), OutputFolder(out)
    target.make()
    sinks = open_sinks(formats, target)
    done = 0
    with Decoder() as decoder:
        for item, of_item in records.by_item():
            done += 1
            if sinks and journal.frames(item.number):
                try:
                    _draw(
                        item,
                        of_item,
                        sinks,
                        decoder,
                        FrameRange(**options["clip"]),
                        options["part"],
                    )
                except InputError as error:
                    failed(item.source, error)
    close_formats(formats, records, target)
    return done


def _draw(
    item: Item,
    records: Iterator[Record],
    sinks: Sequence[Sink],
    decoder: Decoder,
    clip: FrameRange,
    part_frames: int,
) -> None:
    """Give an item to the sinks just as the run did."""
    answers = groupby(records, key=lambda record: record.frame)
    index, answered = next(answers, (-1, iter(())))
    part = count = 0
    try:
        for count, frame in enumerate(decoder.frames(Path(item.source), clip), start=1):
            if count > 1 and count % part_frames == 1:
                part += 1
            own: list[Record] = []
            if index == frame.index:
                own = list(answered)
                index, answered = next(answers, (-1, iter(())))
            for sink in sinks:
                sink.write(frame, item, part, own)
                if count % part_frames == 0:
                    sink.end_part(item, part)
    except InputError:
        for sink in sinks:
            sink.abandon()
        raise
    for sink in sinks:
        if count % part_frames:
            sink.end_part(item, part)
        sink.end_item(item, part + 1)
        sink.forget_parts(item)
