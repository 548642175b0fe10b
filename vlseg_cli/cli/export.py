"""``vlseg export``: more formats of a finished job without inference, or ONNX graphs of a SAM."""

import json
from pathlib import Path
from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.requests import has_maps
from vlseg_cli.cli.values import parse_formats
from vlseg_cli.jobs import existing_job, export_job
from vlseg_cli.models.proposals.base import export_folder
from vlseg_cli.schema import InputError
from vlseg_cli.schema.errors import UsageError
from vlseg_cli.weights.digest import model_digest
from vlseg_cli.weights.resolve import model_folder


def export_formats(folder: Path, to: str, out: Path | None, as_json: bool) -> None:
    """``vlseg export DIR``. Raises typer.Exit with 3 if inputs to draw on cannot be read."""
    formats = parse_formats(to, has_maps(existing_job(folder).requests), "--to")
    target = out or folder
    console, failures = Console(quiet=as_json), []

    def failed(source: str, error: InputError) -> None:
        failures.append({"input": source, "error": str(error)})
        console.error(str(error))

    count = export_job(folder, formats, target, failed)
    if as_json:
        report = {"inputs": count, "formats": formats, "out": str(target), "failed": failures}
        print(json.dumps(report))
    else:
        print(f"Wrote {', '.join(formats)} of {count:,} inputs to {target}.")
    if failures:
        raise typer.Exit(InputError.exit_code)


def export_graphs(model: str, out: Path | None, as_json: bool) -> None:
    """``vlseg export sam``. Raises UsageError for a model without a SAM or without ``onnx``."""
    from vlseg_cli.models.hrseg.conversion import load_sam
    from vlseg_cli.models.proposals.onnx_export import export_sam, require_onnx

    require_onnx()  # before the weights are read, which takes minutes
    directory = model_folder(model)
    digest, target = model_digest(directory), out or export_folder(model)
    export_sam(load_sam(directory), digest, target)
    if as_json:
        print(json.dumps({"model": model, "weights": digest, "out": str(target)}))
    else:
        print(f"Wrote the SAM of {model} to {target}.")


def export_default(model: str, as_json: bool) -> None:
    """``vlseg export psalm``: graphs beside the weights. Raises UsageError for another system."""
    from vlseg_cli.models.psalm.onnx_export import export_psalm

    directory = model_folder(model)
    export_psalm(directory)
    if as_json:
        print(json.dumps({"model": model, "weights": model_digest(directory)}))
    else:
        print(f"Wrote the graphs of {model} beside its weights.")


_SAM, _PSALM = "sam", "psalm"  # in place of a job's folder; a folder of that name is ./sam
_JOB_PANEL, _SAM_PANEL = "A job's results", "A SAM"


def command(
    what: Annotated[
        str,
        typer.Argument(
            metavar="DIR|sam|psalm",
            help="Output folder of a job; or sam, or psalm (./sam: a folder).",
        ),
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
            help="Name or folder of a SAM, or of an HRSeg that carries one; of a miniature PSALM.",
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
    """Write more formats of a job's results, or ONNX graphs of a SAM.

    vlseg export vlseg-out --to yolo,html

    vlseg export sam --model sam-vit-h

    Formats that draw on images read the inputs again; the exit code is 3 if some cannot be read.
    Graphs of a SAM are for --proposals-engine onnx, those of the embedded PSALM for a quick start.
    """
    if what == _PSALM:
        if to is not None or out is not None or model is None:
            raise UsageError("'vlseg export psalm' takes --model alone.")
        return export_default(model, as_json)
    if what == _SAM:
        if to is not None or model is None:
            raise UsageError("'vlseg export sam' takes --model, and no --to.")
        export_graphs(model, out, as_json)
        return None
    if to is None or model is not None:
        raise UsageError("'vlseg export DIR' takes --to, and no --model.")
    return export_formats(Path(what), to, out, as_json)
