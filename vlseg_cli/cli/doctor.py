"""``vlseg doctor``: is everything here that a long run needs?"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console as Terminal
from rich.text import Text

from vlseg_cli.cli import options
from vlseg_cli.cli.checks import AREAS, CheckFinding, CheckState, examine
from vlseg_cli.cli.wording import printable

_COLORS = {CheckState.OK: "green", CheckState.WARNING: "yellow", CheckState.BROKEN: "bold red"}


def command(
    out: Annotated[
        Path, typer.Option(help="Folder that results would go to: is there room for them?")
    ] = options.DEFAULT_OUT,
    as_json: options.ReportJSON = False,
) -> None:
    """Check the environment, device, codecs and weights.

    Each line says ok, warning or broken, and how to mend it. The exit code is 1 if anything is
    broken. No network is needed.
    """
    report: dict[str, list[CheckFinding]] = {}
    for area in AREAS:
        report[area] = examine(area, out)
        if not as_json:
            show(area, report[area])
    is_broken = any(one.state is CheckState.BROKEN for found in report.values() for one in found)
    if as_json:
        plain = {area: [asdict(one) for one in found] for area, found in report.items()}
        print(json.dumps({"ok": not is_broken, **plain}))
    if is_broken:
        raise typer.Exit(1)


def show(area: str, findings: Iterable[CheckFinding]) -> None:
    """Print an area's findings on stdout, a line each."""
    terminal = Terminal(highlight=False, markup=False)
    terminal.print(Text(area, "bold"))
    for one in findings:
        state = Text(f"  {one.state.value:<8}", _COLORS[one.state])
        sentence = f"{one.name}: {one.found}" + (f". {one.mend}" if one.mend else "")
        terminal.print(state, printable(sentence), soft_wrap=True)
