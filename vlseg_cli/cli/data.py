"""Check data, draw specimens of it, or label pictures with captions."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vlseg_cli.cli import data_caption, options

if TYPE_CHECKING:
    from vlseg_cli.evaluation.data_check import DatasetFinding

_DAMAGED, _NOTHING = 3, 4  # exit codes

Names = Annotated[
    list[str] | None,
    typer.Option("--benchmark", metavar="NAME", help="A name of 'vlseg eval --list'. Repeatable."),
]


def check(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="Where the data lies.")],
    names: Names = None,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Read every sample, not only the tables.")
    ] = False,
    as_json: options.ReportJSON = False,
    quiet: options.Quiet = False,
) -> None:
    """Say which benchmarks' data is there, what is missing and what is damaged.

    Exit code 0: something is there and nothing is damaged; 3: something is damaged; 4: nothing is
    there, or not all of --benchmark.
    """
    from vlseg_cli.cli.console import Console
    from vlseg_cli.evaluation.benchmarks.table import BENCHMARKS, find_benchmarks
    from vlseg_cli.evaluation.data_check import check_data
    from vlseg_cli.schema import NoInputError

    if not data.is_dir():
        raise NoInputError(f"There is no folder {data}: give the one that holds the data sets.")
    console = Console(quiet)
    wanted = find_benchmarks(names or BENCHMARKS)
    findings = []
    for finding in check_data(wanted, data, thorough):
        findings.append(finding)
        if finding.state != "missing" or names:
            for line in lines(finding):
                console.note(line)
    missing = [one.benchmark for one in findings if one.state == "missing"]
    if missing and not names:
        console.note(f"missing: {', '.join(missing)}")
    if as_json:
        print(json.dumps([asdict(one) for one in findings]))
    if any(one.state == "damaged" for one in findings):
        raise typer.Exit(_DAMAGED)
    if missing and (names or len(missing) == len(findings)):
        raise typer.Exit(_NOTHING)


def specimen(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to draw into.")],
    names: Annotated[
        list[str], typer.Argument(metavar="BENCHMARK...", help="Names of 'vlseg eval --list'.")
    ],
    scenes: Annotated[int, typer.Option(min=1, help="How many scenes or clips of each.")] = 12,
    quiet: options.Quiet = False,
) -> None:
    """Draw small sets of the published form, to try benchmarks without their data.

    vlseg data specimen try/ refcoco-val; vlseg eval refcoco-val --data try/
    """
    from vlseg_cli.cli.console import Console
    from vlseg_cli.evaluation.benchmarks.table import find_benchmarks, write_toy_sets
    from vlseg_cli.outputs import OutputFolder

    found = find_benchmarks(names)
    OutputFolder(folder).make()
    write_toy_sets(found, folder, scenes)
    Console(quiet).note(f"Drew {', '.join(one.name for one in found)} into {folder}.")


def lines(finding: "DatasetFinding") -> Iterator[str]:
    """A finding for a person: what there is, and then what is wrong."""
    whole = f" of {finding.published:,}" if finding.published else ""
    count = f", {finding.samples:,}{whole} samples" if finding.samples else ""
    yield f"{finding.benchmark}: {finding.state}{count}"
    for problem in finding.problems:
        yield f"  {problem}"
    if finding.faulty > len(finding.problems):
        yield f"  and {finding.faulty - len(finding.problems):,} more"


VERBS = {"check": check, "specimen": specimen, "caption": data_caption.command}
