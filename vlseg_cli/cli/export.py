"""``vlseg export``: more formats of answers that are there already, without asking again."""

import json
from pathlib import Path
from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.asked import makes_maps
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.values import parse_formats
from vlseg_cli.jobs import export_job, job_of
from vlseg_cli.schema import InputError


def command(
    folder: options.JobFolder,
    to: Annotated[str, typer.Option(metavar="FORMAT,...", help="Formats, as for --save.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write to.", show_default="the job's own"),
    ] = None,
    as_json: options.ReportJSON = False,
) -> None:
    """Make more formats of a job's answers.

    vlseg export vlseg-out --to yolo,html

    Formats that show pictures read the inputs again. The exit code is 3 if some are gone.
    """
    formats = parse_formats(to, makes_maps(job_of(folder).asked), "--to")
    target = out or folder
    console, gone = Console(quiet=as_json), []

    def failed(source: str, error: InputError) -> None:
        gone.append({"input": source, "error": str(error)})
        console.error(str(error))

    count = export_job(folder, formats, target, failed)
    if as_json:
        report = {"inputs": count, "formats": formats, "out": str(target), "failed": gone}
        print(json.dumps(report))
    else:
        print(f"Wrote {', '.join(formats)} of {count:,} inputs to {target}.")
    if gone:
        raise typer.Exit(InputError.exit_code)
