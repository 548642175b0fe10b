"""``vlseg plan``: what a command would take, before it is begun.

The words after ``plan`` are a whole command line of segment, refer, reason, track or detect; it is
read by
that command itself, which then hands its job over to be planned instead of run.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from vlseg_cli.cli.build_job import BuiltJob
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.job_options import JobOptions
from vlseg_cli.cli.progress_counter import duration
from vlseg_cli.cli.wording import counted, printable
from vlseg_cli.jobs.plan import JobPlan, plan_job
from vlseg_cli.schema import UsageError
from vlseg_cli.schema.errors import nearest

# What follows the first word is the other command's, --help and all.
CONTEXT = {"allow_interspersed_args": False}

_PLANNED = ("segment", "refer", "reason", "track", "detect")


def command(
    words: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND...", help=f"A command line: {', '.join(_PLANNED)} …."),
    ],
) -> None:
    """Say beforehand what a job would take: time, disk, memory.

    vlseg plan reason photos/ "what keeps food cold?"

    Reads the headers of up to 200 inputs and answers up to 8 of them for a trial.
    """
    if words[0] not in _PLANNED:
        raise UsageError(
            f"{words[0]!r} cannot be planned{nearest(words[0], _PLANNED) or '.'} Write the command"
            f" itself after plan: {', '.join(_PLANNED)}."
        )
    from vlseg_cli.cli.app import app

    code = app(words, prog_name="vlseg", standalone_mode=False, obj=_plan)
    if code:
        raise typer.Exit(code)


def _plan(prepared: BuiltJob, choices: JobOptions, console: Console) -> int:
    console.note(f"Trying a few of {len(prepared.found):,} inputs.")
    load = partial(prepared.load, console)
    plan = plan_job(prepared.job, prepared.settings, prepared.found, load, prepared.ask)
    if choices.as_json:
        print(json.dumps(asdict(plan)))
    else:
        for line in lines(plan):
            print(printable(line))
    return 0


def lines(plan: JobPlan) -> Iterator[str]:
    """The plan for a person."""
    kinds = f"{counted(plan.images, 'image')}, {counted(plan.videos, 'video')}"
    length = "unknown" if plan.frames is None else f"about {counted(plan.frames, 'frame')}"
    yield f"inputs  {kinds}, length: {length}"
    if plan.unreadable:
        count = f"{len(plan.unreadable):,} of {plan.looked_at:,} looked at cannot be read"
        yield f"        {count}, as {next(iter(plan.unreadable.values()))}"
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
