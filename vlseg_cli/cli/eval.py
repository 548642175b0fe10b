"""``vlseg eval``: score a model on the benchmarks of the field, or on synthetic scenes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.options import ModelChoice
from vlseg_cli.models.base import FULL
from vlseg_cli.models.proposals.base import TORCH, ProposalOptions
from vlseg_cli.schema.errors import UsageError
from vlseg_cli.synthetic.hands import DEFAULT_HAND

_BENCHMARK, _WORLD = "Benchmark", "Synthetic scenes (world)"


def command(
    context: typer.Context,
    benchmarks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="BENCHMARK...",
            help="Names of --list; world: held-out synthetic scenes.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--list", help="List all benchmarks with the papers' numbers.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the data sets.", rich_help_panel=_BENCHMARK),
    ] = None,
    toy: Annotated[
        bool,
        typer.Option(
            "--toy",
            help="Use a small synthetic set of the same form instead of --data.",
            rich_help_panel=_BENCHMARK,
        ),
    ] = False,
    formerly_toy: Annotated[bool, typer.Option("--specimen", hidden=True)] = False,
    protocol: Annotated[
        str | None,
        typer.Option(
            metavar="SYSTEM",
            help="Measure as the paper of psalm, hyperseg, mvp-lm, hrseg or self1e does.",
            show_default="the model's own",
            rich_help_panel=_BENCHMARK,
        ),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="SWITCH=CHOICE",
            help="Change one choice of the protocol, as in unit=sentence. Repeatable.",
            rich_help_panel=_BENCHMARK,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="The first N samples of each benchmark alone.",
        ),
    ] = None,
    model: options.Model = None,
    device: options.Device = None,
    dtype: options.Dtype = FULL,
    proposals: options.Proposals = None,
    proposals_engine: options.Engine = TORCH,
    cache: options.Cache = None,
    batch_size: options.BatchSize = None,
    shard: options.Shard = None,
    overwrite: options.Overwrite = False,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="A:B",
            help="Seeds of the scenes, A up to but not B.",
            rich_help_panel=_WORLD,
            show_default="900000:900300",
        ),
    ] = None,
    size: Annotated[
        int,
        typer.Option(min=64, max=4096, help="Longest side of a scene, px.", rich_help_panel=_WORLD),
    ] = 256,
    video: Annotated[
        bool,
        typer.Option(
            "--video",
            help="Clips instead of images: J&F, id switches, video mAP.",
            rich_help_panel=_WORLD,
        ),
    ] = False,
    frames: Annotated[
        int | None,
        typer.Option(
            min=3, max=1000, help="Of each clip.", rich_help_panel=_WORLD, show_default="16"
        ),
    ] = None,
    hand: Annotated[
        str, typer.Option(help=options.HAND_HELP, metavar="NAME", rich_help_panel=_WORLD)
    ] = DEFAULT_HAND,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder for predictions, scores and a page; the same command resumes it.",
            show_default="nothing is kept",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for the page alone.", rich_help_panel=_WORLD),
    ] = None,
    as_json: options.ReportJSON = False,
    quiet: options.Quiet = False,
    progress: options.ProgressStyle = "auto",
) -> None:
    """Score a model on benchmarks.

    vlseg eval refcoco-val reasonseg-val --data data/ --out scores/

    vlseg eval refcoco-val --toy · vlseg eval world --seeds 900000:900050 --html report/
    """
    names = tuple(benchmarks or ())
    if every:
        from vlseg_cli.cli.benchmark_list import show_benchmarks

        show_benchmarks(as_json)
        return
    if not names or ("world" in names and len(names) > 1):
        raise UsageError("Name benchmarks of 'vlseg eval --list', or world alone.")
    from vlseg_cli.cli.benchmark import BenchmarkRequest, evaluate_benchmarks
    from vlseg_cli.cli.run_job import arguments

    shared: dict[str, Any] = {
        "model": ModelChoice(
            model, device, dtype, ProposalOptions(proposals, cache, proposals_engine)
        ),
        "limit": limit,
        "batch_size": batch_size,
        "shard": shard,
        "overwrite": overwrite,
        "arguments": arguments(context),
    }
    if names == ("world",):
        from vlseg_cli.cli.world_scores import WorldRequest, score_world

        world = WorldRequest(
            **shared,
            out=out,
            html=html,
            seeds=seeds,
            size=size,
            video=video,
            frames=frames,
            hand=hand,
        )
        code = score_world(world, as_json, quiet, progress)
    else:
        request = BenchmarkRequest(
            **shared,
            out=out or html,  # --html is the older name of --out here
            names=names,
            data=data,
            toy=toy or formerly_toy,
            protocol=protocol,
            changes=tuple(changes or ()),
        )
        code = evaluate_benchmarks(request, as_json, quiet, progress)
    if code:
        raise typer.Exit(code)
