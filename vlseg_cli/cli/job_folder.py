"""``vlseg status``, ``retry`` and ``merge``: commands that take the output folders of jobs."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.run_job import BuiltJob, run
from vlseg_cli.cli.values import counted, printable
from vlseg_cli.jobs import Status, job_status, merge_jobs
from vlseg_cli.jobs.job import FAILURES

_SOME = 10  # failures that are printed


def status(folder: options.JobFolder, as_json: options.ReportJSON = False) -> None:
    """Show the progress of a job.

    vlseg status vlseg-out

    vlseg status vlseg-out --json
    """
    found = job_status(folder)
    if as_json:
        print(json.dumps(plain(found)))
        return
    for line in lines(found, folder):
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


def retry(
    folder: options.JobFolder,
    device: options.Device = None,
    as_json: options.AsJSON = False,
    quiet: options.Quiet = False,
    progress: options.ProgressStyle = "auto",
) -> None:
    """Process the failed inputs of a job again.

    vlseg retry vlseg-out

    vlseg retry vlseg-out --device cpu

    Run it in the folder where the job ran: its inputs are relative to it.
    """
    found = job_status(folder)
    if not found.failed:
        Console(quiet, progress).note(f"Nothing failed in {folder}.")
        return
    from vlseg_cli.cli.main import app

    subcommand, *words = _arguments(found)
    given = [f"--out={folder}", f"--progress={progress}"]
    given += [f"--device={device}"] if device else []
    given += [flag for flag, wanted in (("--json", as_json), ("--quiet", quiet)) if wanted]
    code = app([subcommand, *given, *words], standalone_mode=False, obj=_rerun)
    if code:
        raise typer.Exit(code)


def _arguments(status: Status) -> Iterator[str]:
    """The arguments of the job; for stdin, which is not stored, the failed inputs are given."""
    for word in status.job.arguments:
        if word == "-":
            yield from (source for source, _ in status.failed if Path(source).exists())
        else:
            yield word


def _rerun(built: BuiltJob, job_options: options.JobOptions, console: Console) -> int:
    settings = replace(built.settings, retry_failed=True)
    return run(replace(built, settings=settings), job_options, console)


def merge(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Output folders of the shards.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write to; a killed merge goes on there.")],
    as_json: options.ReportJSON = False,
) -> None:
    """Merge the folders of a job that ran in shards.

    vlseg merge shard-0 shard-1 --out whole

    vlseg merge shard-* --out whole --json
    """
    count = merge_jobs(folders, out)
    if as_json:
        print(json.dumps({"inputs": count, "out": str(out)}))
    else:
        print(f"Merged {count:,} inputs of {len(folders)} folders into {out}.")
