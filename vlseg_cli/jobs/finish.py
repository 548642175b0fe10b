"""Finishing a job: one record store in the inputs' order, the formats made from it, no traces.

Every step can be killed and done again: what exists under its final name is whole, and the
workshop goes last.
"""

import json
import shutil
from collections.abc import Sequence

from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.layout import FAILURES, RECORDS, STATE_FOLDER, SWEPT, stored_records
from vlseg_cli.jobs.records import ItemRecords
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.atomic import sweep
from vlseg_cli.outputs.formats import close_formats


def finish(folder: OutputFolder, journal: Journal, formats: Sequence[str]) -> None:
    """Bring everything to its final place; the caller holds the lock and every item is done.

    Raises OutputError if something cannot be written.
    """
    gather_records(folder, journal)
    write_failures(folder, journal)
    close_formats(formats, stored_records(folder), folder)
    journal.write_finished()
    (folder.root / STATE_FOLDER).rename(folder.root / SWEPT)
    tidy(folder)


def gather_records(folder: OutputFolder, journal: Journal) -> None:
    """Write ``records.jsonl``: earlier records and those of the workshop, in order of the items."""
    file = folder.begin(RECORDS)
    records = ItemRecords(folder, journal)
    for item in journal.items:
        for lines in records.of(item):
            file.write(lines)
    file.commit()


def write_failures(folder: OutputFolder, journal: Journal) -> None:
    """Write ``failures.jsonl``, or remove one that is no longer true."""
    if not journal.errors:
        folder.remove(FAILURES)
        return
    file = folder.begin(FAILURES)
    for number in sorted(journal.errors):
        error, _ = journal.errors[number]
        row = {"input": journal.items[number].source, "error": error}
        file.write(json.dumps(row).encode() + b"\n")
    file.commit()


def tidy(folder: OutputFolder) -> None:
    """Remove what killed processes left behind and, last, the finished workshop."""
    sweep(folder.root)
    shutil.rmtree(folder.root / SWEPT, ignore_errors=True)
