"""``vlseg export``: answers that are there already in more formats; a SAM as ONNX graphs."""

from pathlib import Path
from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.schema.errors import UsageError

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
        from vlseg_cli.cli.export_sam import export_graphs

        export_graphs(model, out, as_json)
    else:
        if to is None or model is not None:
            raise UsageError("'vlseg export DIR' takes --to, and no --model.")
        from vlseg_cli.cli.export_job import export_formats

        export_formats(Path(what), to, out, as_json)
