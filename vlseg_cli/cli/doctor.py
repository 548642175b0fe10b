"""``vlseg doctor``: whether everything that a long run needs is here; see ``cli/checks``.

An area that cannot even be examined becomes a finding, too.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console as Terminal
from rich.text import Text

from vlseg_cli.cli import options
from vlseg_cli.cli.checks import CheckFinding, CheckState, broken
from vlseg_cli.cli.checks.environment import codecs, environment, weights
from vlseg_cli.cli.checks.machine import device, machine, variables
from vlseg_cli.cli.values import printable

AREAS = ("environment", "machine", "device", "codecs", "weights", "variables")

_COLORS = {CheckState.OK: "green", CheckState.WARNING: "yellow", CheckState.BROKEN: "bold red"}


def command(
    out: Annotated[
        Path, typer.Option(help="Folder of the results: its disk is checked for free space.")
    ] = options.DEFAULT_OUT,
    as_json: options.ReportJSON = False,
) -> None:
    """Check the environment, device, codecs and weights.

    vlseg doctor

    vlseg doctor --out /data/results --json

    Each line is ok, warning or broken, with the remedy. The exit code is 1 if anything is broken.
    No network is needed.
    """
    report: dict[str, list[CheckFinding]] = {}
    for area in AREAS:
        report[area] = examine(area, out)
        if not as_json:
            show(area, report[area])
    is_broken = any(one.state is CheckState.BROKEN for found in report.values() for one in found)
    if as_json:
        plain = {area: [one.to_json() for one in found] for area, found in report.items()}
        print(json.dumps({"ok": not is_broken, **plain}))
    if is_broken:
        raise typer.Exit(1)


def examine(area: str, out: Path) -> list[CheckFinding]:
    """The findings of one of AREAS. out: the folder of the results."""
    checks: dict[str, Callable[[], Iterator[CheckFinding]]] = {
        "environment": environment,
        "machine": partial(machine, out),
        "device": device,
        "codecs": codecs,
        "weights": weights,
        "variables": partial(variables, os.environ),
    }
    return run_check(area, checks[area])


def run_check(area: str, check: Callable[[], Iterator[CheckFinding]]) -> list[CheckFinding]:
    """The findings of a check; an exception that it raises is the last of them."""
    findings: list[CheckFinding] = []
    try:
        with _silenced():
            findings.extend(check())
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        remedy = "Install vlseg again in a new environment; if this stays, report it."
        findings.append(broken(area, f"cannot be examined ({reason})", remedy))
    return findings


@contextmanager
def _silenced() -> Iterator[None]:
    """Drop what encoders and drivers write to stderr from C, past Python."""
    sys.stderr.flush()
    kept = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(null)
        os.close(kept)


def show(area: str, findings: Iterable[CheckFinding]) -> None:
    """Print an area's findings on stdout, a line each."""
    terminal = Terminal(highlight=False, markup=False)
    terminal.print(Text(area, "bold"))
    for one in findings:
        state = Text(f"  {one.state.value:<8}", _COLORS[one.state])
        sentence = f"{one.name}: {one.found}" + (f". {one.remedy}" if one.remedy else "")
        terminal.print(state, printable(sentence), soft_wrap=True)
