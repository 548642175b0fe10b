"""``vlseg export DIR``: more formats of answers that are there already, without asking again."""

import json
from pathlib import Path

import typer

from vlseg_cli.cli.asked import makes_maps
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.values import parse_formats
from vlseg_cli.jobs import export_job, job_of
from vlseg_cli.schema import InputError


def export_formats(folder: Path, to: str, out: Path | None, as_json: bool) -> None:
    """Carry out one command. Raises typer.Exit with 3 if inputs that are to be shown are gone."""
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
