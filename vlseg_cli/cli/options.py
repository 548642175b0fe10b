"""Options that several subcommands share, with their help.

Typer reads a command's options from its signature; ``expand_options`` puts the fields of a
parameter that is a dataclass into it, so that ``JobOptions`` are written once for five commands.
"""

import inspect
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from vlseg_cli.cli.console import Console
from vlseg_cli.cli.values import parse_batch_size, parse_seconds
from vlseg_cli.models.base import FULL, Segmenter
from vlseg_cli.models.base import Dtype as DtypeName
from vlseg_cli.models.proposals.base import TORCH, ProposalOptions
from vlseg_cli.models.psalm.onnx_graphs import has_graphs
from vlseg_cli.schema import FrameRange, UsageError, WeightsError
from vlseg_cli.synthetic.hands import HANDS
from vlseg_cli.weights.resolve import EMBEDDED

prompt_option = partial(typer.Option, rich_help_panel="Prompt")
_model_option = partial(typer.Option, rich_help_panel="Model")
_advanced_option = partial(typer.Option, rich_help_panel="Advanced")
_video_option = partial(typer.Option, rich_help_panel="Video")
_batch_option = partial(typer.Option, rich_help_panel="Batch")
_output_option = partial(typer.Option, rich_help_panel="Output")

DEFAULT_OUT = Path("vlseg-out")
INPUTS = "Images, videos, folders, patterns, lists (.txt), - for stdin"

Inputs = Annotated[
    list[str] | None, typer.Argument(metavar="INPUT", help=f"{INPUTS}.", show_default=False)
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
    DtypeName,
    _model_option(
        help="Precision of the language model's weights: 16 bits take half the memory of 32."
    ),
]
Proposals = Annotated[
    str | None,
    _advanced_option(
        metavar="SOURCE",
        help="For models that choose among mask proposals, their source: a SAM, a PSALM,"
        " 'embedded', or a folder of masks by image.",
        show_default="the one that the model was trained with",
    ),
]
Engine = Annotated[
    str,
    _advanced_option(
        metavar="torch|onnx|DIR",
        help="Runtime of a SAM for proposals: torch; onnx, written by 'vlseg export sam' beside the"
        " weights; or the folder that it was written to.",
    ),
]
Cache = Annotated[
    Path | None,
    _advanced_option(
        metavar="DIR",
        help="Store proposals and image features here, for later runs.",
        show_default="nothing is stored",
        envvar="VLSEG_CACHE",
    ),
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
AsJSON = Annotated[
    bool,
    _output_option(
        "--json", help="Print one JSON object per prompt and frame, and nothing else, on stdout."
    ),
]
Quiet = Annotated[bool, _output_option("--quiet", "-q", help="Print errors alone.")]
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

_EMBEDDED = (
    "Model: the embedded default, trained on synthetic scenes, not on photographs (--model takes"
    " another)."
)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """name: of a model or its folder, None for the embedded one. device: None for the best one."""

    name: str | None = None
    device: str | None = None
    dtype: DtypeName = FULL
    proposals: ProposalOptions = field(default_factory=ProposalOptions)

    def load(self, console: Console, images: bool = False) -> Segmenter:
        """Load the model, with a note when it is the embedded one.

        images: no video is tracked, so that ONNX Runtime can run the embedded model; graphs that do
        not fit its weights are no error, torch runs the weights. Raises WeightsError if the weights
        are missing or do not fit.
        """
        if self.name is None:
            console.note(_EMBEDDED)
        if images and self._is_plain_default and has_graphs(EMBEDDED):
            from vlseg_cli.models.psalm.onnx_segmenter import OnnxPSALMSegmenter

            with suppress(WeightsError):
                return OnnxPSALMSegmenter("embedded", EMBEDDED)
        from vlseg_cli.models.registry import load_model

        # A GPU that was named is used, or it is an error; one that was found may be left out.
        proposals = replace(self.proposals, note=None if self.device else console.note)
        return load_model(self.name, self.device, proposals, self.dtype)

    def check_device(self) -> None:
        """Raise UsageError if the named device is none that this machine has."""
        if self.device not in (None, "cpu"):
            from vlseg_cli.models.checkpoint import usable_device

            usable_device(self.device)

    @property
    def _is_plain_default(self) -> bool:
        """Whether this is the embedded model as it is stored, on the CPU."""
        is_embedded, on_cpu = self.name in (None, "embedded"), self.device in (None, "cpu")
        chosen = self.proposals.source or self.proposals.engine != TORCH
        return is_embedded and on_cpu and self.dtype == FULL and not chosen

    def options(self) -> dict[str, object]:
        """What changes results, by the names of the command line, without the model itself."""
        return {
            "dtype": self.dtype,
            "proposals": self.proposals.source,
            "proposals_engine": self.proposals.engine,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """The options of a job, as given, in the order of the help."""

    prompts: Annotated[
        Path | None,
        prompt_option(
            metavar="FILE",
            help="A table of inputs and prompts, in CSV or JSON lines: input, task, and text,"
            " categories or regions ('box 40,30,200,150; point 120,80; scribble 1,2 3,4; mask"
            " FILE'); for track also at, the frame that regions are in.",
        ),
    ] = None
    model: Model = None
    device: Device = None
    dtype: Dtype = FULL
    proposals: Proposals = None
    proposals_engine: Engine = TORCH
    cache: Cache = None
    threshold: Annotated[
        float | None,
        _model_option(
            min=0,
            max=1,
            help="Drop segments with a score below this.",
            show_default="the task's own",
        ),
    ] = None
    stride: Annotated[int, _video_option(min=1, metavar="N", help="Every Nth frame.")] = 1
    max_frames: Annotated[
        int | None, _video_option(min=1, metavar="N", help="At most N frames of each video.")
    ] = None
    start: Annotated[
        float | None,
        _video_option(
            parser=parse_seconds, metavar="TIME", help="Begin here: seconds, mm:ss or hh:mm:ss."
        ),
    ] = None
    end: Annotated[
        float | None,
        _video_option(parser=parse_seconds, metavar="TIME", help="End before this time."),
    ] = None
    batch_size: BatchSize = None
    shard: Shard = None
    overwrite: Overwrite = False
    fail_fast: Annotated[bool, _batch_option("--fail-fast", help="Stop at the first failure.")] = (
        False
    )
    null: Annotated[
        bool, _batch_option("--null", "-0", help="Lists are split at NUL, not at line breaks.")
    ] = False
    out: Annotated[
        Path | None,
        _output_option(
            help="Folder that results are written to; the same command resumes it.",
            show_default="vlseg-out, or vlseg-out-2, … if that holds another job",
        ),
    ] = None
    save: Annotated[
        str,
        _output_option(
            metavar="FORMAT,...",
            help="Formats to write: coco, boxes, ytvis, jsonl, overlay, video, panoptic, palette,"
            " yolo, parquet, html; none; or auto: overlay for images, video for videos, coco, and"
            " ytvis for track.",
        ),
    ] = "auto"
    as_json: AsJSON = False
    quiet: Quiet = False
    progress: ProgressStyle = "auto"

    @property
    def model_choice(self) -> ModelChoice:
        """The model and how to load it."""
        proposals = ProposalOptions(self.proposals, self.cache, self.proposals_engine)
        return ModelChoice(self.model, self.device, self.dtype, proposals)

    @property
    def clip(self) -> FrameRange:
        """The frames of videos to process. Raises UsageError if there can be none."""
        if self.end is not None and self.end <= (self.start or 0):
            raise UsageError("--end is not after --start: there is no frame between them.")
        return FrameRange(self.stride, self.start, self.end, self.max_frames)


def expand_options(command: Callable[..., None]) -> Callable[..., None]:
    """Make every field of a parameter that is a dataclass a parameter of the command."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if is_dataclass(parameter.annotation)
    }

    @wraps(command)
    def expanded(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        command(**values)

    shown: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        if name in groups:
            shown += inspect.signature(parameter.annotation, eval_str=True).parameters.values()
        else:
            shown.append(parameter)
    keyword_only = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in shown]
    expanded.__signature__ = signature.replace(parameters=keyword_only)  # type: ignore[attr-defined]
    return expanded
