"""``vlseg eval``: score a model on a benchmark."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.values import parse_seeds
from vlseg_cli.schema import UsageError

_HELD_OUT, _HELD_OUT_CLIPS = "900000:900300", "900000:900030"
_FRAMES = 16


def command(
    benchmark: Annotated[
        Literal["world"], typer.Argument(help="world: drawn scenes that no training has seen.")
    ],
    model: options.Model = None,
    device: options.Device = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="A:B",
            help="Seeds of the scenes, from A up to but not B.",
            show_default=f"{_HELD_OUT}, of clips {_HELD_OUT_CLIPS}",
        ),
    ] = None,
    size: Annotated[int, typer.Option(min=64, max=4096, help="Side of a picture, px.")] = 256,
    video: Annotated[
        bool,
        typer.Option("--video", help="Clips instead of pictures: J&F, id switches, video mAP."),
    ] = False,
    frames: Annotated[
        int | None,
        typer.Option(min=3, max=1000, help="Of each clip.", show_default=f"{_FRAMES}"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "--html", help="Folder for a page with the best and worst cases."),
    ] = None,
    as_json: options.ReportJSON = False,
    quiet: options.Quiet = False,
) -> None:
    """Score a model on a benchmark.

    vlseg eval world --seeds 900000:900050 --html report/

    vlseg eval world --video --seeds 900000:900010
    """
    if video and out is not None:
        raise UsageError("--html shows pictures: leave it out with --video.")
    if frames is not None and not video:
        raise UsageError("--frames goes with --video.")
    chosen = parse_seeds(seeds or (_HELD_OUT_CLIPS if video else _HELD_OUT))
    from vlseg_cli.cli.console import Console
    from vlseg_cli.cli.model import load
    from vlseg_cli.cli.progress import open_progress
    from vlseg_cli.evaluation.world import evaluate_world
    from vlseg_cli.evaluation.world_video import evaluate_world_video
    from vlseg_cli.models.session import require_video
    from vlseg_cli.outputs import OutputFolder

    if out is not None:
        OutputFolder(out).make()
    console = Console(quiet)
    segmenter = load(model, device, console)
    with open_progress(console, "clips" if video else "scenes") as progress:
        progress.start(len(chosen))
        if video:
            following = require_video(segmenter)
            result = evaluate_world_video(
                following, chosen, size, frames or _FRAMES, lambda: progress.item(benchmark)
            )
        else:
            result = evaluate_world(
                segmenter, chosen, size, out, lambda *_: progress.item(benchmark)
            )
    for name, value in flattened(result):
        console.note(f"{name:<32} {value}")
    if as_json:
        print(json.dumps(result))


def flattened(result: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every measure of a nested result with its path: 'refer.cIoU', '0.712'."""
    for key, value in result.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield prefix + key, f"{value:.3f}" if isinstance(value, float) else str(value)
