"""Merging jobs of the same prompts over different inputs, such as shards without a shared disk.

The result is the folder that a single process would have written.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vlseg_cli.jobs.finish import JobRecords, finish
from vlseg_cli.jobs.job import JOB, LOCK, STATE_FOLDER, WORK, existing_job, records_path, write_job
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.lease import locked, worker_name
from vlseg_cli.jobs.open_job import check_idle
from vlseg_cli.jobs.work_units import Chunk, ItemResult, WorkUnit
from vlseg_cli.outputs import FORMATS, OutputFolder
from vlseg_cli.schema import Item, UsageError


class _MergedJob:
    """One of the jobs to merge."""

    def __init__(self, root: Path) -> None:
        self.job, self.folder = existing_job(root), OutputFolder(root)
        self.journal = Journal(self.folder, worker_name())
        self.records = JobRecords(self.folder, self.journal)
        self.numbers = {item.source: item.number for item in self.journal.items}

    def rank(self, source: str) -> int:
        """What this job has of an input: 2 a result, 1 a failure, 0 nothing."""
        number = self.numbers.get(source)
        if number is None or not self.journal.is_done(number):
            return 0
        return 1 if number in self.journal.errors else 2


def merge_jobs(roots: Sequence[Path], out: Path) -> int:
    """Merge jobs into ``out``, which must not hold one; returns the number of inputs.

    Raises UsageError if the jobs differ, are running, or leave inputs undone.
    """
    jobs = [_MergedJob(root) for root in roots]
    items = _union(jobs)
    folder = OutputFolder(out)
    folder.make()
    worker = worker_name()
    folder.stage_in(STATE_FOLDER, WORK, worker)
    with locked(folder.root, LOCK, worker, folder.root / STATE_FOLDER / WORK) as lock:
        _check(jobs, items, folder)
        write_job(folder, jobs[0].job)
        journal = Journal(folder, worker)
        journal.add_items(items, lock)
        for item in items:
            _copy(item, max(jobs, key=lambda one: one.rank(item.source)), folder, journal)
        formats = tuple(jobs[0].job.options["save"])
        for job in jobs:
            _copy_images(job.folder.root, folder.root, formats)
        journal.close()
        finish(folder, journal, formats)
    return len(items)


def _union(jobs: Sequence[_MergedJob]) -> list[Item]:
    """All inputs, each once, in the order of the first job, then of the others."""
    found: dict[str, Item] = {}
    for job in jobs:
        for item in job.journal.items:
            found.setdefault(item.source, item)
    return [replace(item, number=number) for number, item in enumerate(found.values())]


def _check(jobs: Sequence[_MergedJob], items: Sequence[Item], folder: OutputFolder) -> None:
    for job in jobs:
        check_idle(job.folder)
        difference = jobs[0].job.difference(job.job)
        if difference:
            raise UsageError(
                f"{jobs[0].folder.root} and {job.folder.root} are different jobs"
                f" ({difference}): only folders of one job can be merged."
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
    if (folder.root / JOB).exists():
        raise UsageError(f"{folder.root} holds a job already: give another --out.")


def _copy(item: Item, source: _MergedJob, folder: OutputFolder, journal: Journal) -> None:
    """Copy the records and the result of one item."""
    number = source.numbers[item.source]
    old = source.journal.items[number]
    folder.write(b"".join(source.records.lines(old)), *records_path(item.number, 0))
    error, code = source.journal.errors.get(number, (None, 0))
    result = ItemResult(item, source.journal.frames(number), error, code)
    journal.append(Chunk(WorkUnit((item,), item.number), 0, True, (result,)))


def _copy_images(source: Path, target: Path, formats: Sequence[str]) -> None:
    """Copy the folders of images and videos that formats wrote while the job ran."""
    for name in formats:
        for made in FORMATS[name].files if FORMATS[name].live else ():
            if (source / made).is_dir():
                shutil.copytree(source / made, target / made, dirs_exist_ok=True)
