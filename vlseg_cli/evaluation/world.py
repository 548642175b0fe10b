"""The benchmark of the drawn world: any model, held-out seeds, one look at each scene."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from vlseg_cli.evaluation.cases import CaseKeeper
from vlseg_cli.evaluation.world_queries import benchmark_sample
from vlseg_cli.evaluation.world_report import write_report
from vlseg_cli.evaluation.world_scores import WorldScores
from vlseg_cli.models.base import Segmenter
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import PromptRequest, Query, Sample, Task, UsageError


def evaluate_world(
    model: Segmenter,
    seeds: range,
    size: int = 256,
    out: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Score a model on the scenes of ``seeds``, ``size`` px along the longest side.

    Returns fractions in [0, 1] by task, kind and measure, None where nothing was asked, as for
    tasks that the model has not. out: a folder for the report, ``index.html`` with the best and
    worst cases. progress: called after each scene with the number done and the number in all.
    Raises UsageError for an empty range or a folder that cannot be made, before any work.
    """
    if not seeds:
        raise UsageError(
            f"The seeds {seeds.start}:{seeds.stop} hold no scene: "
            "give a first seed and a later end, as in 900000:900300."
        )
    folder = None if out is None else OutputFolder(out)
    scores, cases = WorldScores(), CaseKeeper()
    for done, seed in enumerate(seeds, start=1):
        sample = _answerable(benchmark_sample(seed, size), model)
        encoded = model.encode([sample.frame])
        requests = [_ask(query) for query in sample.queries]
        cases.add(scores.add(sample, model.predict(encoded, requests)))
        if progress is not None:
            progress(done, len(seeds))
    result = {**scores.summary(), "model": model.name}
    if folder is not None:
        write_report(folder, result, cases, seeds)
    return result


def _answerable(sample: Sample, model: Segmenter) -> Sample:
    """Without what the model cannot be asked."""
    asked = tuple(query for query in sample.queries if query.task in model.tasks)
    return replace(sample, queries=asked)


def _ask(query: Query) -> PromptRequest:
    """The task's own defaults, but every box with its score: average precision ranks them all."""
    threshold = 0.0 if query.task is Task.DETECT else None
    return PromptRequest(0, query.task, query.prompt, threshold)
