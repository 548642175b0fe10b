"""Opening the folder of a job: which inputs are work to do, and how far the job is.

Work to do are inputs that are new to the job, have changed on disk, or are retried. Other processes
may be running the same job meanwhile.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vlseg_cli.jobs.finish import check_records
from vlseg_cli.jobs.job import (
    ERASED,
    LEASES,
    LOCK,
    STATE_FOLDER,
    WORK,
    Job,
    existing_job,
    read_job,
    write_job,
)
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.lease import Holder, holders, locked, worker_name
from vlseg_cli.jobs.ownership import (
    check_foreign,
    files_of_job,
    formats_of,
    has_leftovers,
    sweep,
)
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import Input, Item, UsageError


def work_items(
    journal: Journal, inputs: Iterable[Input], root: Path, retry_failed: bool
) -> list[Item]:
    """Items for ``Journal.add_items``.

    inputs: those of this run as they are on disk now; a new one gets its number and name here.
    retry_failed: failed ones are work to do, too.
    """
    folder = OutputFolder(root)  # assigns names
    known = {item.source: item.number for item in journal.items}
    for item in journal.items:
        folder.take(item.name)
    found: list[Item] = []
    for one in inputs:
        number = known.get(one.source)
        if number is None:
            number = known[one.source] = len(known)
            found.append(_item(one, number, folder.name_for(one.source)))
        elif number < len(journal.items):  # else it is given twice
            old = journal.items[number]
            changed = (one.bytes, one.modified) != (old.bytes, old.modified)
            if changed or (retry_failed and number in journal.errors):
                found.append(_item(one, number, old.name))
    return found


def name_items(inputs: Iterable[Input], root: Path) -> Iterator[Item]:
    """Items of inputs without a journal, one at a time."""
    folder = OutputFolder(root)
    for number, one in enumerate(inputs):
        yield _item(one, number, folder.name_for(one.source))


def _item(one: Input, number: int, name: str) -> Item:
    return Item(number, one.source, name, one.is_video, one.bytes, one.modified)


def open_job(
    folder: OutputFolder,
    job: Job,
    inputs: Sequence[Input],
    overwrite: bool = False,
    retry_failed: bool = False,
    is_late: bool = False,
) -> Journal:
    """The journal of the job, with ``inputs`` among its items.

    overwrite: start over the job that the folder holds. retry_failed: failed inputs are work to do.
    is_late: the inputs were listed long ago, so what the journal knows of them is newer. Raises
    UsageError if the folder holds another job, files of others, or cannot be used.
    """
    root, worker = folder.root, worker_name()
    if not overwrite and read_job(root) is not None:
        _check_same(folder, job, is_late)
        journal = Journal(folder, worker)
        if journal.is_finished and not has_leftovers(root):
            found = work_items(journal, inputs, root, retry_failed)
            if not _unlisted(found, journal, is_late):
                check_records(folder, journal)
                return journal
    folder.make()
    folder.stage_in(STATE_FOLDER, WORK, worker)  # before the lock: who takes that over removes it
    with locked(root, LOCK, worker, root / STATE_FOLDER / WORK) as lock:
        folder.check_staging()
        sweep(folder, worker)
        if overwrite:
            _erase(folder, job, inputs, worker)
        _check_same(folder, job, is_late)
        is_new = read_job(root) is None
        if is_new:  # a journal there is not ours to read
            check_foreign(root, (), (), shared=False, job_files=True)
        journal = Journal(folder, worker)
        found = _unlisted(work_items(journal, inputs, root, retry_failed), journal, is_late)
        new = {item.name for item in found if item.number >= len(journal.items)}
        check_foreign(root, formats_of(job), new, (), shared=is_new)
        if is_new:
            write_job(folder, job)
        if found:
            journal.add_items(found, lock)
        if journal.is_finished:
            check_records(folder, journal)
        else:
            folder.path(STATE_FOLDER, LEASES, "of units")  # makes the folder
    return journal


def _unlisted(found: list[Item], journal: Journal, is_late: bool) -> list[Item]:
    return [item for item in found if item.number >= len(journal.items)] if is_late else found


def _erase(folder: OutputFolder, job: Job, inputs: Sequence[Input], worker: str) -> None:
    """Remove a job and what it wrote, nothing else; the caller holds the lock.

    Raises UsageError if a process is running it, or if files of others are in the way.
    """
    old = read_job(folder.root)
    if old is None:
        return
    check_idle(folder)
    names = {item.name for item in name_items(inputs, folder.root)}
    own = set(files_of_job(folder, old))
    check_foreign(folder.root, formats_of(job), names, own)
    write_job(folder, old, ERASED)
    sweep(folder, worker)


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


def _check_same(folder: OutputFolder, job: Job, is_late: bool) -> None:
    existing = read_job(folder.root)
    difference = existing.difference(job) if existing else ""
    if difference and is_late:
        raise UsageError(f"Another job has replaced this one in {folder.root} ({difference}).")
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
