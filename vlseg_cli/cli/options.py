"""Options that several subcommands share, each written and explained once."""

from pathlib import Path
from typing import Annotated

import typer

from vlseg_cli.cli.sentence import nearest
from vlseg_cli.schema.errors import UsageError

_MODEL, _OUTPUT = "Model", "Output"

Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT", help="Images, folders or patterns.", show_default=False),
]
Model = Annotated[
    str | None,
    typer.Option(
        help="Name or folder of a model.",
        show_default="the embedded one, which knows drawn scenes",
        rich_help_panel=_MODEL,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        help="cpu, cuda, cuda:1, ….", show_default="the best there is", rich_help_panel=_MODEL
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="Drop segments that score below this.",
        show_default="the task's own",
        rich_help_panel=_MODEL,
    ),
]
Many = Annotated[
    bool,
    typer.Option(
        "--many",
        help="Join everything that fits, not the best match alone; may answer nothing.",
        rich_help_panel="Prompt",
    ),
]
Out = Annotated[
    Path, typer.Option(help="Folder that results are written to.", rich_help_panel=_OUTPUT)
]
Save = Annotated[
    str,
    typer.Option(
        help="What to write: coco, overlay, panoptic, jsonl or none; several with commas.",
        rich_help_panel=_OUTPUT,
    ),
]
AsJSON = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print one JSON object per prompt and image, and nothing else, on stdout.",
        rich_help_panel=_OUTPUT,
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", help="Say nothing but errors.", rich_help_panel=_OUTPUT)
]
Seeds = Annotated[
    str | None,
    typer.Option(metavar="A:B", help="Seeds of the scenes, from A up to but not B."),
]

DEFAULT_OUT = Path("vlseg-out")
DEFAULT_SAVE = "overlay,coco"


def parse_formats(text: str, has_map: bool = False) -> tuple[str, ...]:
    """'coco,overlay' to format names. has_map: whether the task makes panoptic maps.

    Raises UsageError for an unknown format, or for a map that the task does not make.
    """
    from vlseg_cli.outputs import FORMATS

    names = tuple(dict.fromkeys(filter(None, (name.strip() for name in text.split(",")))))
    if names in ((), ("none",)):
        return ()
    for name in names:
        if name not in FORMATS:
            raise UsageError(
                f"--save does not know {name!r}{nearest(name, FORMATS)}"
                f" (there is {', '.join(FORMATS)}, or none alone)."
            )
    if "panoptic" in names and not has_map:
        raise UsageError(
            "--save panoptic needs a map of the whole picture: only 'vlseg segment' with"
            " --task panoptic or semantic makes one."
        )
    return names


def parse_seeds(text: str) -> range:
    """'900000:900300' to a range. Raises UsageError for anything else, or an empty range."""
    first, colon, last = text.partition(":")
    if not (colon and first.strip().isdecimal() and last.strip().isdecimal()):
        raise UsageError(f"--seeds {text!r} is no range: write A:B, as in 900000:900300.")
    seeds = range(int(first), int(last))
    if not seeds:
        raise UsageError(f"--seeds {text} holds no seed: B must be greater than A.")
    return seeds
