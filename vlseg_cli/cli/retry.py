"""``vlseg retry``: the failed inputs of a job again, with the same prompts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.job_options import JobOptions
from vlseg_cli.cli.run_job import BuiltJob, run
from vlseg_cli.jobs import Status, job_status


def command(
    folder: options.JobFolder,
    device: options.Device = None,
    as_json: options.AsJSON = False,
    quiet: options.Quiet = False,
    progress: options.ProgressStyle = "auto",
) -> None:
    """Process the failed inputs of a job again.

    vlseg retry vlseg-out

    Run it in the folder where the job ran: its inputs are relative to it.
    """
    status = job_status(folder)
    if not status.failed:
        Console(quiet, progress).note(f"Nothing failed in {folder}.")
        return
    from vlseg_cli.cli.main import app

    subcommand, *words = _arguments(status)
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


def _rerun(built: BuiltJob, job_options: JobOptions, console: Console) -> int:
    settings = replace(built.settings, retry_failed=True)
    return run(replace(built, settings=settings), job_options, console)
