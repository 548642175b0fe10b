"""Options that several subcommands share, with their help."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vlseg_cli.cli.values import parse_batch_size, parse_seconds
from vlseg_cli.models import precision

_PROMPT, _MODEL, _VIDEO, _BATCH, _OUTPUT = "Prompt", "Model", "Video", "Batch", "Output"

DEFAULT_OUT = Path("vlseg-out")
INPUTS = "Images, videos, folders, patterns, lists (.txt), - for stdin"

Inputs = Annotated[
    list[str] | None,
    typer.Argument(metavar="INPUT", help=f"{INPUTS}.", show_default=False),
]
Prompts = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A table of inputs and prompts, in CSV or JSON lines: input, task, and text,"
        " categories or regions ('box 40,30,200,150; point 120,80; scribble 1,2 3,4; mask FILE');"
        " for track also at, the frame that regions are in.",
        rich_help_panel=_PROMPT,
    ),
]
Many = Annotated[
    bool,
    typer.Option(
        "--many",
        help="Join everything that matches, not the best match alone; may find nothing.",
        rich_help_panel=_PROMPT,
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        help="Name or folder of a model.",
        show_default="the embedded one, trained on synthetic scenes",
        rich_help_panel=_MODEL,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        help="cpu, cuda, cuda:1, ….", show_default="the best available", rich_help_panel=_MODEL
    ),
]
Dtype = Annotated[
    precision.Dtype,
    typer.Option(
        help="Precision of the language model's weights: 16 bits take half the memory of 32.",
        rich_help_panel=_MODEL,
    ),
]
Proposals = Annotated[
    str | None,
    typer.Option(
        metavar="SOURCE",
        help="For models that choose among mask proposals, their source: a SAM, a PSALM,"
        " 'embedded', or a folder of masks by image.",
        show_default="the one that the model was trained with",
        rich_help_panel=_MODEL,
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        metavar="torch|onnx|DIR",
        help="Runtime of a SAM for proposals: torch; onnx, written by 'vlseg export sam' beside the"
        " weights; or the folder that it was written to.",
        rich_help_panel=_MODEL,
    ),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Store proposals and image features here, for later runs.",
        show_default="nothing is stored",
        envvar="VLSEG_CACHE",
        rich_help_panel=_MODEL,
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="Drop segments with a score below this.",
        show_default="the task's own",
        rich_help_panel=_MODEL,
    ),
]
Stride = Annotated[
    int, typer.Option(min=1, metavar="N", help="Every Nth frame.", rich_help_panel=_VIDEO)
]
MaxFrames = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="At most N frames of each video.", rich_help_panel=_VIDEO
    ),
]
Start = Annotated[
    float | None,
    typer.Option(
        parser=parse_seconds,
        metavar="TIME",
        help="Begin here: seconds, mm:ss or hh:mm:ss.",
        rich_help_panel=_VIDEO,
    ),
]
End = Annotated[
    float | None,
    typer.Option(
        parser=parse_seconds,
        metavar="TIME",
        help="End before this time.",
        rich_help_panel=_VIDEO,
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        parser=parse_batch_size,
        metavar="N|auto",
        help="Images or frames per batch; halved when memory runs out.",
        show_default="auto",
        rich_help_panel=_BATCH,
    ),
]
Shard = Annotated[
    str | None,
    typer.Option(
        metavar="i/n",
        help="Process shard i (from 0) of n, as on one of n machines.",
        show_default="from torchrun or SLURM, else whatever is left",
        rich_help_panel=_BATCH,
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Start over, whatever --out holds.", rich_help_panel=_BATCH),
]
FailFast = Annotated[
    bool, typer.Option("--fail-fast", help="Stop at the first failure.", rich_help_panel=_BATCH)
]
Null = Annotated[
    bool,
    typer.Option(
        "--null", "-0", help="Lists are split at NUL, not at line breaks.", rich_help_panel=_BATCH
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="Folder that results are written to; the same command resumes it.",
        show_default="vlseg-out, or vlseg-out-2, … if that holds another job",
        rich_help_panel=_OUTPUT,
    ),
]
Save = Annotated[
    str,
    typer.Option(
        metavar="FORMAT,...",
        help="Formats to write: coco, boxes, ytvis, jsonl, overlay, video, panoptic, palette, yolo,"
        " parquet, html; none; or auto: overlay for images, video for videos, coco, and ytvis for"
        " track.",
        rich_help_panel=_OUTPUT,
    ),
]
AsJSON = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print one JSON object per prompt and frame, and nothing else, on stdout.",
        rich_help_panel=_OUTPUT,
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", help="Print errors alone.", rich_help_panel=_OUTPUT)
]
ProgressStyle = Annotated[
    Literal["auto", "lines", "json"],
    typer.Option(
        "--progress",
        help="auto (a bar on a terminal, lines elsewhere), lines, or JSON lines, on stderr.",
        rich_help_panel=_OUTPUT,
    ),
]
JobFolder = Annotated[Path, typer.Argument(metavar="DIR", help="Output folder of the job.")]
ReportJSON = Annotated[
    bool, typer.Option("--json", help="Print one JSON object, and nothing else, on stdout.")
]
Seeds = Annotated[
    str | None,
    typer.Option(metavar="A:B", help="Seeds of the scenes, from A up to but not B."),
]
