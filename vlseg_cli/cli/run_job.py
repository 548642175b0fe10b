"""What segment, refer, reason, track and detect share: run the job, show answers, sum up."""

import sys
from collections.abc import Callable
from functools import partial

import typer

from vlseg_cli.cli.build_job import BuiltJob, build_job
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.job_options import JobOptions
from vlseg_cli.cli.progress import open_progress
from vlseg_cli.cli.requests import JobRequest
from vlseg_cli.jobs import Summary, run_job
from vlseg_cli.jobs.layout import FAILURES, stored_records
from vlseg_cli.outputs import FORMATS, record_line
from vlseg_cli.schema import Record

_FEW = 20  # inputs whose answers a person may want to read one by one

# What is done with a job that could begin; returns the exit code. retry and plan bring their own.
Runner = Callable[[BuiltJob, JobOptions, Console], int]


def run_job_command(context: typer.Context, asked: JobRequest, choices: JobOptions) -> None:
    """Carry out one command. Raises typer.Exit with the code of a run that was not all well."""
    console = Console(choices.quiet, choices.progress)
    runner: Runner = context.obj or run
    code = runner(build_job(context, asked, choices, console), choices, console)
    if code:
        raise typer.Exit(code)


def run(prepared: BuiltJob, choices: JobOptions, console: Console) -> int:
    """Run a job to its end; returns the exit code."""
    total = len(prepared.found)
    show = partial(_show, console=console, as_json=choices.as_json, total=total)
    with open_progress(console, "inputs", show) as progress:
        summary = run_job(
            prepared.job,
            prepared.settings,
            prepared.found,
            partial(prepared.load, console),
            prepared.ask,
            progress,
        )
    _show_earlier(prepared, summary, show)
    _sum_up(prepared, summary, console)
    return summary.exit_code


def _show(record: Record, console: Console, as_json: bool, total: int) -> None:
    if total <= _FEW and not record.is_video:
        console.show(record, in_full=total == 1)
    if as_json:
        print(record_line(record), file=sys.stdout, flush=True)


def _show_earlier(prepared: BuiltJob, summary: Summary, show: Callable[[Record], None]) -> None:
    """Answers of earlier runs are as good as new ones, but for who asks for the failed ones."""
    settings = prepared.settings
    if summary.before and summary.finished and settings.formats and not settings.again:
        for record in stored_records(settings.folder):
            if record.input in summary.before:
                show(record)


def _sum_up(prepared: BuiltJob, summary: Summary, console: Console) -> None:
    out, formats = prepared.settings.folder.root, prepared.settings.formats
    if summary.before:
        console.note(f"{len(summary.before):,} of {summary.total:,} inputs were done before.")
    if summary.failed and summary.total > 1:
        listed = f"; they are listed in {out / FAILURES}" if formats else ""
        console.note(f"{len(summary.failed):,} of {summary.total:,} inputs failed{listed}.")
    if summary.left and formats:
        is_share = prepared.settings.shard.count > 1 and not summary.stopped
        rest = "other shares do them" if is_share else "the same command goes on with them"
        console.note(f"{summary.left:,} of {summary.total:,} inputs are left: {rest}.")
    made = [name for name in formats if any((out / file).exists() for file in FORMATS[name].files)]
    if made and summary.finished:
        console.note(f"Saved in {out}: {', '.join(made)}.")
