"""Opening the folder of a job: which inputs are work to do, and how far the job is.

Work to do are inputs that are new to the job, have changed on disk, or are retried. Other processes
may be running the same job meanwhile.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vlseg_cli.jobs.finish import remove_leftovers
from vlseg_cli.jobs.job import (
    FAILURES,
    JOB,
    JOURNAL,
    LEASES,
    LOCK,
    RECORDS,
    REMOVED_STATE,
    STATE_FOLDER,
    Job,
    existing_job,
    read_job,
    write_job,
)
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.lease import Holder, holders, locked, worker_name
from vlseg_cli.outputs import FORMATS, OutputFolder
from vlseg_cli.schema import Input, Item, UsageError


def work_items(
    journal: Journal, inputs: Iterable[Input], root: Path, retry_failed: bool
) -> list[tuple[Item, int]]:
    """Items with their attempt, for ``Journal.add_items``.

    inputs: those of this run as they are on disk now; a new one gets its number and name here.
    retry_failed: failed ones are work to do, too.
    """
    folder = OutputFolder(root)  # assigns names
    known = {item.source: item.number for item in journal.items}
    for item in journal.items:
        folder.take(item.name)
    found: list[tuple[Item, int]] = []
    for one in inputs:
        number = known.get(one.source)
        if number is None:
            number = known[one.source] = len(known)
            found.append((_item(one, number, folder.name_for(one.source)), 1))
        elif number < len(journal.items):  # else it is given twice
            old = journal.items[number]
            changed = (one.bytes, one.modified) != (old.bytes, old.modified)
            if changed or (retry_failed and number in journal.errors):
                found.append((_item(one, number, old.name), journal.attempt(number) + 1))
    return found


def name_items(inputs: Iterable[Input], root: Path) -> Iterator[Item]:
    """Items of inputs without a journal, one at a time."""
    folder = OutputFolder(root)
    for number, one in enumerate(inputs):
        yield _item(one, number, folder.name_for(one.source))


def _item(one: Input, number: int, name: str) -> Item:
    return Item(number, one.source, name, one.is_video, one.bytes, one.modified)


def open_job(
    folder: OutputFolder, job: Job, inputs: Sequence[Input], overwrite: bool, retry_failed: bool
) -> Journal:
    """The journal of the job, with ``inputs`` among its items.

    overwrite: start over whatever the folder holds. retry_failed: failed inputs are work to do.
    Raises UsageError if the folder holds another job or cannot be used.
    """
    if not overwrite:
        _check_same(folder, job)
        journal = Journal(folder, worker_name())
        if journal.is_finished and not work_items(journal, inputs, folder.root, retry_failed):
            leftovers = (folder.root / name for name in (REMOVED_STATE, f"{LOCK}.lease"))
            if not any(path.exists() for path in leftovers):
                return journal
    folder.make()
    with locked(folder.root, LOCK):
        if overwrite:
            _erase(folder)
        _check_same(folder, job)
        if (folder.root / REMOVED_STATE).exists():
            remove_leftovers(folder)
        if read_job(folder.root) is None:
            write_job(folder, job)
        journal = Journal(folder, worker_name())
        found = work_items(journal, inputs, folder.root, retry_failed)
        if found:
            journal.add_items(found)
        if not journal.is_finished:
            folder.path(STATE_FOLDER, LEASES, "of units")  # makes the folder
    return journal


def _erase(folder: OutputFolder) -> None:
    """Remove a job and everything that it wrote, nothing else; the caller holds the lock.

    Raises UsageError if a process is running it.
    """
    check_idle(folder)
    made = [name for one in FORMATS.values() for name in one.files]
    for name in (JOB, JOURNAL, RECORDS, FAILURES, STATE_FOLDER, REMOVED_STATE, *made):
        path = folder.root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def check_idle(folder: OutputFolder) -> None:
    """Raise UsageError if a process is running the job."""
    running = _running(folder.root)
    if running:
        raise UsageError(
            f"Process {running[0].pid} on {running[0].host.split()[0]} is running the job in"
            f" {folder.root}: stop it first, or give another --out."
        )


def _running(root: Path) -> tuple[Holder, ...]:
    return tuple(one for one in holders(root / STATE_FOLDER / LEASES) if not one.is_gone)


def _check_same(folder: OutputFolder, job: Job) -> None:
    existing = read_job(folder.root)
    difference = existing.difference(job) if existing else ""
    if difference:
        raise UsageError(
            f"{folder.root} holds another job ({difference}): give another --out, or --overwrite"
            " to start over."
        )


@dataclass(frozen=True, slots=True)
class Status:
    """Counts of inputs; failed ones count as done. running: the processes that hold leases now."""

    job: Job
    total: int
    done: int
    failed: tuple[tuple[str, str], ...]
    frames: int
    finished: bool
    running: tuple[Holder, ...]


def job_status(root: Path) -> Status:
    """Read the state of a job from its folder. Raises UsageError if the folder holds none."""
    job = existing_job(root)
    journal = Journal(OutputFolder(root), worker_name())
    numbers = range(len(journal.items))
    failed = tuple(
        (journal.items[n].source, error) for n, (error, _) in sorted(journal.errors.items())
    )
    return Status(
        job,
        len(numbers),
        sum(journal.is_done(n) for n in numbers),
        failed,
        sum(journal.frames(n) for n in numbers),
        journal.is_finished,
        _running(root),
    )
