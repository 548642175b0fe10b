"""Options that several subcommands share, with their help."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from vlseg_cli.cli.values import parse_batch_size, parse_seconds
from vlseg_cli.models import base
from vlseg_cli.synthetic.hands import HANDS

prompt_option = partial(typer.Option, rich_help_panel="Prompt")
_model_option = partial(typer.Option, rich_help_panel="Model")
_video_option = partial(typer.Option, rich_help_panel="Video")
_batch_option = partial(typer.Option, rich_help_panel="Batch")
_output_option = partial(typer.Option, rich_help_panel="Output")

DEFAULT_OUT = Path("vlseg-out")
INPUTS = "Images, videos, folders, patterns, lists (.txt), - for stdin"

Inputs = Annotated[
    list[str] | None, typer.Argument(metavar="INPUT", help=f"{INPUTS}.", show_default=False)
]
Prompts = Annotated[
    Path | None,
    prompt_option(
        metavar="FILE",
        help="A table of inputs and prompts, in CSV or JSON lines: input, task, and text,"
        " categories or regions ('box 40,30,200,150; point 120,80; scribble 1,2 3,4; mask FILE');"
        " for track also at, the frame that regions are in.",
    ),
]
Many = Annotated[
    bool,
    prompt_option(
        "--many", help="Join everything that matches, not the best match alone; may find nothing."
    ),
]
Model = Annotated[
    str | None,
    _model_option(
        help="Name or folder of a model.",
        show_default="the embedded one, trained on synthetic scenes",
    ),
]
Device = Annotated[
    str | None, _model_option(help="cpu, cuda, cuda:1, ….", show_default="the best available")
]
Dtype = Annotated[
    base.Dtype,
    _model_option(
        help="Precision of the language model's weights: 16 bits take half the memory of 32."
    ),
]
Proposals = Annotated[
    str | None,
    _model_option(
        metavar="SOURCE",
        help="For models that choose among mask proposals, their source: a SAM, a PSALM,"
        " 'embedded', or a folder of masks by image.",
        show_default="the one that the model was trained with",
    ),
]
Engine = Annotated[
    str,
    _model_option(
        metavar="torch|onnx|DIR",
        help="Runtime of a SAM for proposals: torch; onnx, written by 'vlseg export sam' beside the"
        " weights; or the folder that it was written to.",
    ),
]
Cache = Annotated[
    Path | None,
    _model_option(
        metavar="DIR",
        help="Store proposals and image features here, for later runs.",
        show_default="nothing is stored",
        envvar="VLSEG_CACHE",
    ),
]
Threshold = Annotated[
    float | None,
    _model_option(
        min=0, max=1, help="Drop segments with a score below this.", show_default="the task's own"
    ),
]
Stride = Annotated[int, _video_option(min=1, metavar="N", help="Every Nth frame.")]
MaxFrames = Annotated[
    int | None, _video_option(min=1, metavar="N", help="At most N frames of each video.")
]
Start = Annotated[
    float | None,
    _video_option(
        parser=parse_seconds, metavar="TIME", help="Begin here: seconds, mm:ss or hh:mm:ss."
    ),
]
End = Annotated[
    float | None, _video_option(parser=parse_seconds, metavar="TIME", help="End before this time.")
]
BatchSize = Annotated[
    int | None,
    _batch_option(
        parser=parse_batch_size,
        metavar="N|auto",
        help="Images or frames per batch; halved when memory runs out.",
        show_default="auto",
    ),
]
Shard = Annotated[
    str | None,
    _batch_option(
        metavar="i/n",
        help="Process shard i (from 0) of n, as on one of n machines.",
        show_default="from torchrun or SLURM, else whatever is left",
    ),
]
Overwrite = Annotated[bool, _batch_option("--overwrite", help="Start over, whatever --out holds.")]
FailFast = Annotated[bool, _batch_option("--fail-fast", help="Stop at the first failure.")]
Null = Annotated[
    bool, _batch_option("--null", "-0", help="Lists are split at NUL, not at line breaks.")
]
Out = Annotated[
    Path | None,
    _output_option(
        help="Folder that results are written to; the same command resumes it.",
        show_default="vlseg-out, or vlseg-out-2, … if that holds another job",
    ),
]
Save = Annotated[
    str,
    _output_option(
        metavar="FORMAT,...",
        help="Formats to write: coco, boxes, ytvis, jsonl, overlay, video, panoptic, palette, yolo,"
        " parquet, html; none; or auto: overlay for images, video for videos, coco, and ytvis for"
        " track.",
    ),
]
AsJSON = Annotated[
    bool,
    _output_option(
        "--json", help="Print one JSON object per prompt and frame, and nothing else, on stdout."
    ),
]
Quiet = Annotated[bool, _output_option("--quiet", help="Print errors alone.")]
ProgressStyle = Annotated[
    Literal["auto", "lines", "json"],
    _output_option(
        "--progress",
        help="auto (a bar on a terminal, lines elsewhere), lines, or JSON lines, on stderr.",
    ),
]
JobFolder = Annotated[Path, typer.Argument(metavar="DIR", help="Output folder of the job.")]
ReportJSON = Annotated[
    bool, typer.Option("--json", help="Print one JSON object, and nothing else, on stdout.")
]
HAND_HELP = f"Who draws: {', '.join(HANDS)}; new ones are never trained on."
Seeds = Annotated[
    str | None, typer.Option(metavar="A:B", help="Seeds of the scenes, from A up to but not B.")
]
