"""``vlseg plan``: an estimate of a command before it runs.

The arguments of ``plan`` are a whole command line of segment, refer, reason, track or detect. That
command parses it and builds the job, which is then planned instead of run.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from vlseg_cli.cli.console import Console
from vlseg_cli.cli.options import JobOptions
from vlseg_cli.cli.progress import duration
from vlseg_cli.cli.run_job import BuiltJob
from vlseg_cli.cli.values import counted, printable
from vlseg_cli.jobs.plan import JobPlan, plan_job
from vlseg_cli.schema import UsageError
from vlseg_cli.schema.errors import nearest

# Everything after the first word belongs to the other command, including --help.
CONTEXT = {"allow_interspersed_args": False}

_PLANNED = ("segment", "refer", "reason", "track", "detect")


def command(
    words: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND...", help=f"A command line: {', '.join(_PLANNED)} …."),
    ],
) -> None:
    """Estimate time, disk and memory of a job.

    vlseg plan reason photos/ "what keeps food cold?"

    vlseg plan track films/ --refer "the dog" --model psalm

    Reads the headers of up to 200 inputs and runs up to 8 of them as a trial.
    """
    if words[0] not in _PLANNED:
        raise UsageError(
            f"{words[0]!r} cannot be planned{nearest(words[0], _PLANNED) or '.'} Write the command"
            f" itself after plan: {', '.join(_PLANNED)}."
        )
    from vlseg_cli.cli.main import app

    code = app(words, prog_name="vlseg", standalone_mode=False, obj=_plan)
    if code:
        raise typer.Exit(code)


def _plan(built: BuiltJob, job_options: JobOptions, console: Console) -> int:
    console.note(f"Trying a few of {len(built.inputs):,} inputs.")
    load = partial(built.load, console)
    plan = plan_job(built.job, built.settings, built.inputs, load, built.requests_for)
    if job_options.as_json:
        print(json.dumps(asdict(plan)))
    else:
        for line in lines(plan):
            print(printable(line))
    return 0


def lines(plan: JobPlan) -> Iterator[str]:
    """The plan as lines of text."""
    kinds = f"{counted(plan.images, 'image')}, {counted(plan.videos, 'video')}"
    length = "unknown" if plan.frames is None else f"about {counted(plan.frames, 'frame')}"
    yield f"inputs  {kinds}, length: {length}"
    if plan.unreadable:
        count = f"{len(plan.unreadable):,} of {plan.looked_at:,} checked cannot be read"
        yield f"        {count}, for example: {next(iter(plan.unreadable.values()))}"
    if plan.seconds is None or plan.bytes is None:
        yield "time    unknown: nothing could be tried"
    else:
        yield f"time    about {duration(plan.seconds)} on this machine"
        room = "" if plan.bytes < plan.free else ": NOT ENOUGH, free some or give another --out"
        yield f"disk    about {_size(plan.bytes)} of {_size(plan.free)} free{room}"
    yield f"memory  {_size(plan.memory)} in the trial"


def _size(count: int) -> str:
    """'1.2 GB', '34 MB'."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
