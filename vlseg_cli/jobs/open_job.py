"""Which inputs of a run are work to do: those new to the job, changed, or to be retried."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from vlseg_cli.jobs.finish import tidy
from vlseg_cli.jobs.job import Job, read_job, write_job
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.layout import FAILURES, JOB, JOURNAL, LEASES, LOCK, RECORDS, STATE_FOLDER, SWEPT
from vlseg_cli.jobs.lease import holders, locked
from vlseg_cli.jobs.work_queue import worker_name
from vlseg_cli.outputs import FORMATS, OutputFolder
from vlseg_cli.schema import Input, Item, UsageError


def work_items(
    journal: Journal, found: Iterable[Input], root: Path, again: bool
) -> list[tuple[Item, int]]:
    """Items with their attempt, for ``Journal.list``.

    found: the inputs of this run as they are on disk now; a new one gets its number and name here.
    again: failed ones are work to do, too.
    """
    folder = OutputFolder(root)  # to give names
    known = {item.source: item.number for item in journal.items}
    for item in journal.items:
        folder.take(item.name)
    listed: list[tuple[Item, int]] = []
    for one in found:
        number = known.get(one.source)
        if number is None:
            number = known[one.source] = len(known)
            listed.append((_item(one, number, folder.name_for(one.source)), 1))
        elif number < len(journal.items):  # else it is named twice
            old = journal.items[number]
            changed = (one.bytes, one.modified) != (old.bytes, old.modified)
            if changed or (again and number in journal.errors):
                listed.append((_item(one, number, old.name), journal.attempt(number) + 1))
    return listed


def name_items(found: Iterable[Input], root: Path) -> Iterator[Item]:
    """Items of inputs that no journal keeps, one at a time."""
    folder = OutputFolder(root)
    for number, one in enumerate(found):
        yield _item(one, number, folder.name_for(one.source))


def _item(found: Input, number: int, name: str) -> Item:
    return Item(number, found.source, name, found.is_video, found.bytes, found.modified)


def open_job(
    folder: OutputFolder, job: Job, found: Sequence[Input], overwrite: bool, again: bool
) -> Journal:
    """The journal of the job, with ``found`` among its items.

    overwrite: begin anew whatever the folder holds. again: failed inputs are work to do. Raises
    UsageError if the folder holds another job or cannot be used.
    """
    if not overwrite:
        _check_same(folder, job)
        journal = Journal(folder, worker_name())
        is_done = journal.is_finished and not work_items(journal, found, folder.root, again)
        if is_done and not any((folder.root / name).exists() for name in (SWEPT, f"{LOCK}.lease")):
            return journal
    folder.make()
    with locked(folder.root, LOCK):
        if overwrite:
            erase(folder)
        _check_same(folder, job)
        if (folder.root / SWEPT).exists():
            tidy(folder)
        if read_job(folder.root) is None:
            write_job(folder, job)
        journal = Journal(folder, worker_name())
        listed = work_items(journal, found, folder.root, again)
        if listed:
            journal.list(listed)
        if not journal.is_finished:
            folder.path(STATE_FOLDER, LEASES, "of units")  # makes the folder
    return journal


def erase(folder: OutputFolder) -> None:
    """Remove a job and all that it made, nothing else; the caller holds the lock.

    Raises UsageError if a process is at work on it.
    """
    check_idle(folder)
    made = [name for one in FORMATS.values() for name in one.files]
    for name in (JOB, JOURNAL, RECORDS, FAILURES, STATE_FOLDER, SWEPT, *made):
        path = folder.root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def check_idle(folder: OutputFolder) -> None:
    """Raise UsageError if a process is at work on the job."""
    at_work = [one for one in holders(folder.root / STATE_FOLDER / LEASES) if not one.is_gone]
    if at_work:
        raise UsageError(
            f"A process is at work in {folder.root} (number {at_work[0].pid} on"
            f" {at_work[0].host.split()[0]}): stop it first, or give another --out."
        )


def _check_same(folder: OutputFolder, job: Job) -> None:
    there = read_job(folder.root)
    difference = there.difference(job) if there else ""
    if difference:
        raise UsageError(
            f"{folder.root} holds another job ({difference}): give another --out, or --overwrite"
            " to begin again."
        )
