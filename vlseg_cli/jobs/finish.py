"""The records of a job's items, and finishing: one ``records.jsonl`` in the order of the inputs.

Every step of finishing can be killed and repeated: a file under its final name is complete, and the
state folder is removed last.
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from vlseg_cli.jobs.job import (
    FAILURES,
    FINISHING,
    RECORDS,
    REMOVED_STATE,
    STATE_FOLDER,
    records_path,
    stored_records,
)
from vlseg_cli.jobs.journal import Journal, file_digest
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.atomic import remove_partial_files
from vlseg_cli.outputs.formats import close_formats
from vlseg_cli.outputs.records import read_record
from vlseg_cli.schema import FencedError, FormatError, Item, OutputError, Record
from vlseg_cli.schema.files import read_json


class JobRecords:
    """The records of all items that are done, from the state folder or from ``records.jsonl``.

    Can be iterated several times. Memory holds one item and the byte ranges of the others.
    """

    def __init__(self, folder: OutputFolder, journal: Journal) -> None:
        self._folder, self._journal = folder, journal
        check_records(folder, journal)
        self._ranges = _byte_ranges(folder)

    def __iter__(self) -> Iterator[Record]:
        for _, records in self.by_item():
            yield from records

    def by_item(self) -> Iterator[tuple[Item, Iterator[Record]]]:
        """Every item that is done, with its records."""
        for item in self._journal.items:
            if self._journal.is_done(item.number):
                lines = (line for block in self.lines(item) for line in block.splitlines())
                yield item, map(read_record, lines)

    def lines(self, item: Item) -> Iterator[bytes]:
        """Blocks of whole lines; none for an item that is not done."""
        if not self._journal.is_stored(item.number):
            for chunk in range(self._journal.chunks(item.number)):
                path = self._folder.root.joinpath(*records_path(item.number, chunk))
                try:
                    yield path.read_bytes()
                except OSError as error:
                    raise OutputError(f"{path} is gone: run the job again.") from error
        elif item.name in self._ranges:
            start, end = self._ranges[item.name]
            with (self._folder.root / RECORDS).open("rb") as file:
                file.seek(start)
                while file.tell() < end:
                    yield file.readline()


def finish(folder: OutputFolder, journal: Journal, formats: Sequence[str]) -> None:
    """Write the final files; the caller holds the lock and every item is done.

    Raises OutputError if something cannot be written.
    """
    digest = _write_records(folder, journal)
    unfit = close_formats(formats, stored_records(folder), folder)
    _write_failures(folder, journal, unfit)
    journal.write_finished(digest)
    remove_partial_files(folder.root)
    folder.check_staging()
    try:
        (folder.root / STATE_FOLDER).rename(folder.root / REMOVED_STATE)
    except FileNotFoundError as error:
        raise FencedError(f"Another process has finished the job in {folder.root}.") from error
    shutil.rmtree(folder.root / REMOVED_STATE, ignore_errors=True)


def _write_records(folder: OutputFolder, journal: Journal) -> list[int | str]:
    """Write ``records.jsonl``; returns its digest."""
    file, records = folder.begin(RECORDS), JobRecords(folder, journal)
    size, digest = 0, hashlib.sha256()
    for item in journal.items:
        for lines in records.lines(item):
            file.write(lines)
            size += len(lines)
            digest.update(lines)
    stated: list[int | str] = [size, digest.hexdigest()]
    folder.write(json.dumps(stated).encode(), STATE_FOLDER, FINISHING)
    file.commit()
    return stated


def check_records(folder: OutputFolder, journal: Journal) -> None:
    """Raise OutputError unless ``records.jsonl`` is as this job wrote it.

    While the job is being finished it may be newer than the journal that states its digest.
    """
    known = [journal.records_digest]
    with contextlib.suppress(OSError, ValueError):
        known.append(read_json(folder.root / STATE_FOLDER / FINISHING))
    path = folder.root / RECORDS
    if journal.records_digest is None or file_digest(path) in known:
        return
    if Journal(folder, "").records_digest == journal.records_digest:  # none has just finished it
        raise OutputError(
            f"{path} is not as the job wrote it: restore it, or run the job again with --overwrite."
        )


def _write_failures(
    folder: OutputFolder, journal: Journal, unfit: Mapping[str, FormatError]
) -> None:
    """Write ``failures.jsonl``, or remove an outdated one. unfit: formats that are not written."""
    if not (journal.errors or unfit):
        folder.remove(FAILURES)
        return
    file = folder.begin(FAILURES)
    for number in sorted(journal.errors):
        error, _ = journal.errors[number]
        row = {"input": journal.items[number].source, "error": error}
        file.write(json.dumps(row).encode() + b"\n")
    for name, reason in unfit.items():
        file.write(json.dumps({"format": name, "error": str(reason)}).encode() + b"\n")
    file.commit()


def unfit_formats(folder: OutputFolder) -> dict[str, str]:
    """The formats that could not hold the results of a finished job, with the reasons."""
    path = folder.root / FAILURES
    try:
        rows = [json.loads(line) for line in path.read_bytes().splitlines()]
        return {row["format"]: row["error"] for row in rows if "format" in row}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _byte_ranges(folder: OutputFolder) -> dict[str, tuple[int, int]]:
    """Start and end of the lines of each item in ``records.jsonl``, in bytes."""
    path = folder.root / RECORDS
    ranges: dict[str, tuple[int, int]] = {}
    if path.exists():
        end = 0
        with path.open("rb") as file:
            try:
                for name, lines in groupby(file, key=lambda line: str(json.loads(line)["name"])):
                    start, end = end, end + sum(map(len, lines))
                    ranges[name] = start, end
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise OutputError(
                    f"{path} is damaged: restore it, or run the job again with --overwrite."
                ) from error
    return ranges
