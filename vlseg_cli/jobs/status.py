"""How far a job is, from its folder alone, while others may be at work in it."""

from dataclasses import dataclass
from pathlib import Path

from vlseg_cli.jobs.job import Job, read_job
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.layout import LEASES, STATE_FOLDER
from vlseg_cli.jobs.lease import Holder, holders
from vlseg_cli.jobs.work_queue import worker_name
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import UsageError


@dataclass(frozen=True, slots=True)
class Status:
    """Counts of inputs; failed ones count as done. at_work: who holds leases now."""

    job: Job
    total: int
    done: int
    failed: tuple[tuple[str, str], ...]
    frames: int
    finished: bool
    at_work: tuple[Holder, ...]


def job_status(root: Path) -> Status:
    """Read the state of a job. Raises UsageError if the folder holds none."""
    job = job_of(root)
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
        tuple(one for one in holders(root / STATE_FOLDER / LEASES) if not one.is_gone),
    )


def job_of(root: Path) -> Job:
    """The job of a folder. Raises UsageError if it holds none."""
    job = read_job(root)
    if job is None:
        raise UsageError(f"{root} holds no job: give the --out of an earlier run.")
    return job
