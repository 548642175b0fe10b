"""``vlseg retry``: the failed inputs of a job again, asked just as they were."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.build_job import BuiltJob
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.job_options import JobOptions
from vlseg_cli.cli.run_job import run
from vlseg_cli.jobs import Status, job_status


def command(
    folder: options.JobFolder,
    device: options.Device = None,
    as_json: options.AsJSON = False,
    quiet: options.Quiet = False,
    progress: options.ProgressStyle = "auto",
) -> None:
    """Try the failed inputs of a job again.

    vlseg retry vlseg-out

    Run it where the job was run: its inputs are found from there.
    """
    status = job_status(folder)
    if not status.failed:
        Console(quiet, progress).note(f"Nothing failed in {folder}.")
        return
    from vlseg_cli.cli.app import app

    subcommand, *words = _asked_again(status)
    given = [f"--out={folder}", f"--progress={progress}"]
    given += [f"--device={device}"] if device else []
    given += [flag for flag, wanted in (("--json", as_json), ("--quiet", quiet)) if wanted]
    code = app([subcommand, *given, *words], standalone_mode=False, obj=_run_again)
    if code:
        raise typer.Exit(code)


def _asked_again(status: Status) -> Iterator[str]:
    """The words of the job; what came through stdin is gone, so the failed inputs stand for it."""
    for word in status.job.arguments:
        if word == "-":
            yield from (source for source, _ in status.failed if Path(source).exists())
        else:
            yield word


def _run_again(prepared: BuiltJob, choices: JobOptions, console: Console) -> int:
    settings = replace(prepared.settings, again=True)
    return run(replace(prepared, settings=settings), choices, console)
