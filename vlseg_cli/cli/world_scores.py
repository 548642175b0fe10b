"""``vlseg eval world``: score a model on held-out synthetic scenes, or clips, as a job.

One JSON object of nested fractions, whose keys other programs read, instead of a benchmark's table.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlseg_cli.cli.benchmark import (
    EvaluationRequest,
    evaluation_job,
    job_settings,
    note_failures,
)
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.progress import open_progress
from vlseg_cli.cli.values import parse_seeds
from vlseg_cli.evaluation.benchmarks.synthetic import plan_clips, plan_scenes
from vlseg_cli.evaluation.plan import EvaluationPlan, PlannedBenchmark
from vlseg_cli.evaluation.report import write_world_report
from vlseg_cli.evaluation.run import evaluate
from vlseg_cli.models.base import Segmenter, require_video
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.atomic import remove_partial_files
from vlseg_cli.schema import UsageError
from vlseg_cli.weights.digest import model_digest
from vlseg_cli.weights.resolve import model_folder

FRAMES = 16  # of a clip
_SCENES, _CLIPS = "900000:900300", "900000:900030"
_BATCH_SIZE = 1  # the scores of a batch may differ in their last digits


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldRequest(EvaluationRequest):
    """The synthetic scenes of ``vlseg eval``; None takes the default for scenes or clips.

    html: folder for the page alone.
    """

    seeds: str | None
    size: int
    video: bool
    frames: int | None
    hand: str
    html: Path | None


def score_world(request: WorldRequest, as_json: bool, quiet: bool, style: str) -> int:
    """Carry out one command; returns the exit code.

    Raises UsageError for options that do not go together.
    """
    if request.video and request.html is not None:
        raise UsageError("--html shows images: leave it out with --video.")
    if request.frames is not None and not request.video:
        raise UsageError("--frames goes with --video.")
    seeds = parse_seeds(request.seeds or (_CLIPS if request.video else _SCENES))
    batch_size = request.batch_size or _BATCH_SIZE
    settings = job_settings(request, batch_size, exact_scores=True)
    page = request.html or (None if request.video else request.out)
    if page is not None:
        OutputFolder(page).make()
        remove_partial_files(page)
    console = Console(quiet, style)
    model = request.model.load(console)  # its tasks decide which queries there are
    entry, question = _planned(request, seeds, model)
    name = f"{model.name} {model_digest(model_folder(request.model.name))}"
    job = evaluation_job(request, name, question, batch_size)
    with open_progress(console, "clips" if request.video else "scenes") as progress:
        plan = EvaluationPlan([entry], request.limit)
        done = evaluate(plan, job, settings, lambda: model, progress)
    note_failures(done, request, console)
    if done.results is not None:
        result = {**done.results[entry.benchmark.name].details, "model": model.name}
        for key, value in flattened(result):
            console.note(f"{key:<32} {value}")
        if request.out is not None:
            text = json.dumps(result, indent=1) + "\n"
            OutputFolder(request.out).write(text.encode(), "scores.json")
        if page is not None:
            write_world_report(OutputFolder(page), result, done.cases[entry.benchmark.name], seeds)
        if as_json:
            print(json.dumps(result))
    return done.summary.exit_code


def _planned(
    request: WorldRequest, seeds: range, model: Segmenter
) -> tuple[PlannedBenchmark, dict[str, Any]]:
    """The benchmark, and what it depends on in plain values.

    Raises UsageError for clips and a model without video.
    """
    question = {"seeds": [seeds.start, seeds.stop], "size": request.size, "limit": request.limit}
    question["hand"] = request.hand
    if not request.video:
        return plan_scenes(seeds, request.size, model.tasks, request.hand), {"scenes": question}
    require_video(model)
    frames = request.frames or FRAMES
    entry = plan_clips(seeds, request.size, frames, request.hand)
    return entry, {"clips": {**question, "frames": frames}}


def flattened(result: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every measure of a nested result with its path: 'refer.cIoU', '0.712'."""
    for key, value in result.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield prefix + key, f"{value:.3f}" if isinstance(value, float) else str(value)
