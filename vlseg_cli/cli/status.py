"""``vlseg status``: the progress of a job, also while it runs."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vlseg_cli.cli import options
from vlseg_cli.cli.values import counted, printable
from vlseg_cli.jobs import Status, job_status
from vlseg_cli.jobs.job import FAILURES

_SOME = 10  # failures that are printed


def command(folder: options.JobFolder, as_json: options.ReportJSON = False) -> None:
    """Show the progress of a job.

    vlseg status vlseg-out
    """
    status = job_status(folder)
    if as_json:
        print(json.dumps(plain(status)))
        return
    for line in lines(status, folder):
        print(printable(line))


def lines(status: Status, folder: Path) -> Iterator[str]:
    """Lines for the user, the counts first."""
    state = "finished" if status.finished else "running" if status.running else "interrupted"
    yield (
        f"{folder}: {state}, {status.done:,} of {status.total:,} inputs done,"
        f" {counted(status.frames, 'frame')}, {len(status.failed):,} failed"
    )
    yield f"  vlseg {shlex.join(status.job.arguments)}"
    for holder in status.running:
        yield f"  process {holder.pid} on {holder.host.split()[0]}"
    for source, error in status.failed[:_SOME]:
        yield f"  failed: {error if source in error else f'{source}: {error}'}"
    if len(status.failed) > _SOME:
        where = f"; all are in {folder / FAILURES}" if status.finished else ""
        yield f"  and {len(status.failed) - _SOME:,} more{where}"
    if status.failed:
        yield f"  vlseg retry {shlex.quote(str(folder))} tries the failed ones again"


def plain(status: Status) -> dict[str, Any]:
    """The same and more, in JSON values."""
    return {
        "finished": status.finished,
        "total": status.total,
        "done": status.done,
        "frames": status.frames,
        "failed": [{"input": source, "error": error} for source, error in status.failed],
        "at_work": [asdict(holder) for holder in status.running],
        "job": status.job.to_json(),
    }
