"""``vlseg export DIR``: more formats of answers that are there already, without asking again."""

import json
from pathlib import Path
from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.requests import makes_maps
from vlseg_cli.cli.values import parse_formats
from vlseg_cli.jobs import export_job, job_of
from vlseg_cli.models.proposals.base import export_folder
from vlseg_cli.schema import InputError
from vlseg_cli.schema.errors import UsageError
from vlseg_cli.weights.resolve import model_digest, model_folder


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


def export_graphs(model: str, out: Path | None, as_json: bool) -> None:
    """Carry out one command. Raises UsageError for a model without a SAM or without ``onnx``."""
    from vlseg_cli.models.hrseg.sam import load_sam
    from vlseg_cli.models.proposals.onnx_export import export_sam, require_onnx

    require_onnx()  # before weights are read for minutes
    directory = model_folder(model)
    digest, target = model_digest(directory), out or export_folder(model)
    export_sam(load_sam(directory), digest, target)
    if as_json:
        print(json.dumps({"model": model, "weights": digest, "out": str(target)}))
    else:
        print(f"Wrote the SAM of {model} to {target}.")


_SAM = "sam"  # in place of a job's folder; a folder of that name is ./sam
_JOB_PANEL, _SAM_PANEL = "A job's answers", "A SAM"


def command(
    what: Annotated[
        str,
        typer.Argument(metavar="DIR|sam", help="Output folder of a job; or sam (./sam: a folder)."),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT,...",
            help="Formats, as for --save.",
            rich_help_panel=_JOB_PANEL,
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Name or folder of a SAM, or of an HRSeg that carries one.",
            rich_help_panel=_SAM_PANEL,
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write to.", show_default="the job's own; onnx in the model's"),
    ] = None,
    as_json: options.ReportJSON = False,
) -> None:
    """Make more formats of a job's answers, or ONNX graphs of a SAM.

    vlseg export vlseg-out --to yolo,html

    vlseg export sam --model sam-vit-h

    Formats that show pictures read the inputs again; the exit code is 3 if some are gone. Graphs
    are for --proposals-engine onnx.
    """
    if what == _SAM:
        if to is not None or model is None:
            raise UsageError("'vlseg export sam' takes --model, and no --to.")
        pass

        export_graphs(model, out, as_json)
    else:
        if to is None or model is not None:
            raise UsageError("'vlseg export DIR' takes --to, and no --model.")
        pass

        export_formats(Path(what), to, out, as_json)
