"""Merging jobs of the same prompts over different inputs, such as shards without a shared disk.

The result is the folder that a single process would have written. A merge is a job itself: every
item is copied, then journaled, so that the same command goes on after a kill; the files that are
made of all items are made at the end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from vlseg_cli.jobs.finish import JobRecords, finish
from vlseg_cli.jobs.job import (
    LOCK,
    STATE_FOLDER,
    WORK,
    existing_job,
    read_job,
    records_path,
    write_job,
)
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.lease import locked, worker_name
from vlseg_cli.jobs.open_job import check_idle
from vlseg_cli.jobs.ownership import check_foreign, existing_files, formats_of, sweep
from vlseg_cli.jobs.work_units import Chunk, ItemResult, WorkUnit
from vlseg_cli.outputs import FORMATS, OutputFolder
from vlseg_cli.schema import Item, UsageError

_BLOCK = 1 << 20  # bytes copied at once


class _MergedJob:
    """One of the jobs to merge."""

    def __init__(self, root: Path) -> None:
        self.job, self.root = existing_job(root), root
        folder = OutputFolder(root)
        self.journal = Journal(folder, worker_name())
        self.records = JobRecords(folder, self.journal)
        self._numbers = {item.source: item.number for item in self.journal.items}
        self._damaged = {item.source for item in self.journal.damaged(self._numbers.values())}

    def rank(self, source: str) -> int:
        """What this job has of an input: 2 a result, 1 a failure, 0 nothing."""
        number = self._numbers.get(source)
        if number is None or not self.journal.is_done(number) or source in self._damaged:
            return 0
        return 1 if number in self.journal.errors else 2

    def lines(self, source: str) -> Iterator[bytes]:
        """The records of an input, in blocks of whole lines."""
        return self.records.lines(self.journal.items[self._numbers[source]])

    def result(self, item: Item) -> ItemResult:
        """What this job has of an item of the merged job."""
        number = self._numbers[item.source]
        error, code = self.journal.errors.get(number, (None, 0))
        return ItemResult(item, self.journal.frames(number), error, code)


def merge_jobs(roots: Sequence[Path], out: Path) -> int:
    """Merge jobs into ``out``, which must hold no other job; returns the number of inputs.

    Goes on with a merge of the same jobs that was killed. Raises UsageError if the jobs differ, are
    running, or leave inputs undone, OutputError if ``out`` cannot be written to.
    """
    if out.resolve() in [root.resolve() for root in roots]:
        raise UsageError(f"{out} is one of the jobs to merge: give another --out.")
    jobs = [_MergedJob(root) for root in roots]
    items = _union(jobs)
    _check(jobs, items)
    folder, worker = OutputFolder(out), worker_name()
    folder.make()
    folder.stage_in(STATE_FOLDER, WORK, worker)
    try:
        with locked(out, LOCK, worker, out / STATE_FOLDER / WORK) as lock:
            folder.check_staging()
            sweep(folder, worker)
            journal = _open(folder, jobs, items, worker, lock)
            if not journal.is_finished:
                _copy(jobs, folder, journal)
                journal.close()
                finish(folder, journal, tuple(formats_of(jobs[0].job)))
    finally:
        folder.unstage()
    return len(items)


def _union(jobs: Sequence[_MergedJob]) -> list[Item]:
    """All inputs, each once, in the order of the first job, then of the others."""
    found: dict[str, Item] = {}
    for job in jobs:
        for item in job.journal.items:
            found.setdefault(item.source, item)
    return [replace(item, number=number) for number, item in enumerate(found.values())]


def _check(jobs: Sequence[_MergedJob], items: Sequence[Item]) -> None:
    for job in jobs:
        check_idle(OutputFolder(job.root))
        difference = jobs[0].job.difference(job.job)
        if difference:
            raise UsageError(
                f"{jobs[0].root} and {job.root} are different jobs ({difference}): only folders of"
                " one job can be merged."
            )
    undone = [item for item in items if not any(one.rank(item.source) for one in jobs)]
    if undone:
        raise UsageError(
            f"{len(undone)} inputs are not done in any of the jobs, the first is"
            f" {undone[0].source}: run what is missing first."
        )
    names: dict[str, str] = {}
    for item in items:
        other = names.setdefault(item.name.casefold(), item.source)
        if other != item.source:
            raise UsageError(
                f"Results of {other} and {item.source} have the same name ({item.name}): run both"
                " into one --out instead."
            )


def _open(
    folder: OutputFolder, jobs: Sequence[_MergedJob], items: Sequence[Item], worker: str, lock: int
) -> Journal:
    """The journal of the merged job, new or of a merge that was killed; the lock is held.

    Raises UsageError if the folder holds another job, or files of others.
    """
    job, existing = jobs[0].job, read_job(folder.root)
    journal = Journal(folder, worker)
    if existing is None:
        names = {item.name for item in items}
        check_foreign(folder.root, formats_of(job), names, job_files=True)
        write_job(folder, job)
    elif existing.difference(job) or journal.items not in ([], list(items)):
        raise UsageError(f"{folder.root} holds another job already: give another --out.")
    check_idle(folder)
    # What another command has done in part, or what was damaged since, begins again.
    damaged = journal.damaged(range(len(journal.items)))
    begun = [
        one
        for one in journal.items
        if journal.chunks(one.number) and not journal.is_done(one.number)
    ]
    if again := [*damaged, *begun] if journal.items else items:
        journal.add_items(again, lock)
    return journal


def _copy(jobs: Sequence[_MergedJob], folder: OutputFolder, journal: Journal) -> None:
    """Copy every item that is not done from the job that has most of it, and journal it."""
    chosen: dict[_MergedJob, list[Item]] = {job: [] for job in jobs}
    for item in journal.items:
        if not journal.is_done(item.number):
            chosen[max(jobs, key=lambda one: one.rank(item.source))].append(item)
    for job, items in chosen.items():
        _copy_images(job, folder, {item.name for item in items})
        for item in items:
            records = records_path(item.number, 0)
            folder.write_stream(job.lines(item.source), *records)
            chunk = Chunk(WorkUnit((item,), item.number), 0, True, (job.result(item),))
            journal.append(chunk, files={item.number: [records]})


def _copy_images(job: _MergedJob, folder: OutputFolder, names: set[str]) -> None:
    """Copy the images and videos of some items that formats wrote while the job ran."""
    live = [name for name in formats_of(job.job) if FORMATS[name].live]
    for path in existing_files(job.root, live, names, shared=False) if live else ():
        with (job.root / path).open("rb") as file:
            folder.write_stream(iter(lambda: file.read(_BLOCK), b""), *path.split("/"))
