"""``vlseg eval``: score a model on a benchmark."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.values import parse_seeds

_HELD_OUT = "900000:900300"


def command(
    benchmark: Annotated[
        Literal["world"], typer.Argument(help="world: drawn scenes that no training has seen.")
    ],
    model: options.Model = None,
    device: options.Device = None,
    proposals: options.Proposals = None,
    cache: options.Cache = None,
    seeds: options.Seeds = _HELD_OUT,
    size: Annotated[int, typer.Option(min=64, max=4096, help="Side of a picture, px.")] = 256,
    out: Annotated[
        Path | None,
        typer.Option("--out", "--html", help="Folder for a page with the best and worst cases."),
    ] = None,
    as_json: options.ReportJSON = False,
    quiet: options.Quiet = False,
) -> None:
    """Score a model on a benchmark.

    vlseg eval world --seeds 900000:900050 --html report/
    """
    chosen = parse_seeds(seeds or _HELD_OUT)
    from vlseg_cli.cli.console import Console
    from vlseg_cli.cli.model import load
    from vlseg_cli.cli.progress import open_progress
    from vlseg_cli.evaluation.world import evaluate_world
    from vlseg_cli.models.proposals.options import ProposalOptions
    from vlseg_cli.outputs import OutputFolder

    if out is not None:
        OutputFolder(out).make()
    console = Console(quiet)
    segmenter = load(model, device, console, ProposalOptions(proposals, cache))
    with open_progress(console, "scenes") as progress:
        progress.start(len(chosen))
        result = evaluate_world(
            segmenter, chosen, size, out, lambda *_: progress.item(f"{benchmark}")
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
