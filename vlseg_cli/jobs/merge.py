"""Joining jobs that asked the same of different inputs, as shards without a shared disk do.

The result is the folder that one process would have left.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vlseg_cli.jobs.finish import finish
from vlseg_cli.jobs.job import write_job
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.layout import JOB, LOCK, part_path
from vlseg_cli.jobs.lease import locked
from vlseg_cli.jobs.open_job import check_idle
from vlseg_cli.jobs.records import ItemRecords
from vlseg_cli.jobs.status import job_of
from vlseg_cli.jobs.work_queue import worker_name
from vlseg_cli.jobs.work_units import Chunk, ItemResult, WorkUnit
from vlseg_cli.outputs import FORMATS, OutputFolder
from vlseg_cli.schema import Item, UsageError


class _Source:
    """One of the jobs to merge."""

    def __init__(self, root: Path) -> None:
        self.job, self.folder = job_of(root), OutputFolder(root)
        self.journal = Journal(self.folder, worker_name())
        self.records = ItemRecords(self.folder, self.journal)
        self.numbers = {item.source: item.number for item in self.journal.items}

    def rank(self, source: str) -> int:
        """How much this job knows of an input: 2 an answer, 1 a failure, 0 nothing."""
        number = self.numbers.get(source)
        if number is None or not self.journal.is_done(number):
            return 0
        return 1 if number in self.journal.errors else 2


def merge_jobs(roots: Sequence[Path], out: Path) -> int:
    """Merge jobs into ``out``, which must not hold one; returns the number of inputs.

    Raises UsageError if the jobs differ, are under way, or leave inputs undone.
    """
    sources = [_Source(root) for root in roots]
    items = _union(sources)
    folder = OutputFolder(out)
    folder.make()
    with locked(folder.root, LOCK):
        _check(sources, items, folder)
        write_job(folder, sources[0].job)
        journal = Journal(folder, worker_name())
        journal.list((item, 1) for item in items)
        for item in items:
            _copy(item, max(sources, key=lambda one: one.rank(item.source)), folder, journal)
        formats = tuple(sources[0].job.options["save"])
        for source in sources:
            _copy_pictures(source.folder.root, folder.root, formats)
        journal.close()
        finish(folder, journal, formats)
    return len(items)


def _union(sources: Sequence[_Source]) -> list[Item]:
    """All inputs, each once, in the order of the first job, then of the others."""
    found: dict[str, Item] = {}
    for source in sources:
        for item in source.journal.items:
            found.setdefault(item.source, item)
    return [replace(item, number=number) for number, item in enumerate(found.values())]


def _check(sources: Sequence[_Source], items: Sequence[Item], folder: OutputFolder) -> None:
    for source in sources:
        check_idle(source.folder)
        difference = sources[0].job.difference(source.job)
        if difference:
            raise UsageError(
                f"{sources[0].folder.root} and {source.folder.root} are different jobs"
                f" ({difference}): only answers to the same can be merged."
            )
    undone = [item for item in items if not any(one.rank(item.source) for one in sources)]
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
                f"{other} and {item.source} have results of one name ({item.name}): run them into"
                " one --out instead."
            )
    if (folder.root / JOB).exists():
        raise UsageError(f"{folder.root} holds a job already: give another --out.")


def _copy(item: Item, source: _Source, folder: OutputFolder, journal: Journal) -> None:
    """Bring one item's records and fate over."""
    number = source.numbers[item.source]
    old = source.journal.items[number]
    folder.write(b"".join(source.records.of(old)), *part_path(item.number, 0))
    error, code = source.journal.errors.get(number, (None, 0))
    share = ItemResult(item, source.journal.frames(number), error, code)
    journal.append(Chunk(WorkUnit((item,), item.number), 0, True, (share,)))


def _copy_pictures(source: Path, target: Path, formats: Sequence[str]) -> None:
    """Bring over what the live halves of the formats drew."""
    for name in formats:
        for made in FORMATS[name].files if FORMATS[name].live else ():
            if (source / made).is_dir():
                shutil.copytree(source / made, target / made, dirs_exist_ok=True)
