"""``vlseg eval world``: score a model on drawn scenes, or clips, that no training has seen."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlseg_cli.cli.console import Console
from vlseg_cli.cli.job_options import ModelChoice
from vlseg_cli.cli.progress import open_progress
from vlseg_cli.cli.values import parse_seeds
from vlseg_cli.evaluation.world import evaluate_world
from vlseg_cli.evaluation.world_video import evaluate_world_video
from vlseg_cli.models.base import require_video
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import UsageError

FRAMES = 16  # of a clip
_SCENES, _CLIPS = "900000:900300", "900000:900030"


@dataclass(frozen=True, slots=True)
class WorldRequest:
    """The command line, as given; None takes what is usual for scenes or clips."""

    model: ModelChoice
    seeds: str | None
    size: int
    video: bool
    frames: int | None
    out: Path | None


def score_world(asked: WorldRequest, as_json: bool, quiet: bool) -> None:
    """Carry out one command. Raises UsageError for options that do not go together."""
    if asked.video and asked.out is not None:
        raise UsageError("--html shows pictures: leave it out with --video.")
    if asked.frames is not None and not asked.video:
        raise UsageError("--frames goes with --video.")
    seeds = parse_seeds(asked.seeds or (_CLIPS if asked.video else _SCENES))
    if asked.out is not None:
        OutputFolder(asked.out).make()
    console = Console(quiet)
    result = _scores(asked, seeds, console)
    for name, value in flattened(result):
        console.note(f"{name:<32} {value}")
    if as_json:
        print(json.dumps(result))


def _scores(asked: WorldRequest, seeds: range, console: Console) -> Mapping[str, Any]:
    model = asked.model.load(console)
    with open_progress(console, "clips" if asked.video else "scenes") as progress:
        progress.start(len(seeds))

        def done(*_: object) -> None:
            progress.item("world")

        if not asked.video:
            return evaluate_world(model, seeds, asked.size, asked.out, done)
        frames = asked.frames or FRAMES
        return evaluate_world_video(require_video(model), seeds, asked.size, frames, done)


def flattened(result: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every measure of a nested result with its path: 'refer.cIoU', '0.712'."""
    for key, value in result.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield prefix + key, f"{value:.3f}" if isinstance(value, float) else str(value)
