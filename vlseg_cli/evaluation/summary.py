"""The outcome of an evaluation as plain values: for JSON, CSV, the terminal and the page."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from vlseg_cli.evaluation.benchmarks.table import published
from vlseg_cli.evaluation.plan import EvaluationPlan, PlannedBenchmark
from vlseg_cli.evaluation.run import Evaluation
from vlseg_cli.evaluation.scorers.base import Result
from vlseg_cli.evaluation.setting import Setting
from vlseg_cli.models.precision import FULL
from vlseg_cli.outputs.folder import OutputFolder

Summary = Mapping[str, Any]  # {"setting": …, "benchmarks": [{"name": …, "measures": …, …}, …]}


def summarize(plan: EvaluationPlan, setting: Setting, done: Evaluation) -> Summary:
    """Everything a reader needs to know of finished scores."""
    assert done.results is not None
    rows = [_benchmark(entry, done.results[entry.benchmark.name]) for entry in plan.entries]
    return {
        "setting": asdict(setting),
        "failed": len(done.summary.failed),
        "benchmarks": rows,
    }


def setting_words(summary: Summary) -> str:
    """Model, weights and code on one line."""
    setting = summary["setting"]
    size = f", {setting['resolution']} px" if setting["resolution"] else ""
    dtype = "" if setting["dtype"] == FULL else f", {setting['dtype']}"
    commit = f" ({setting['commit']})" if setting["commit"] else ""
    limit = f", the first {setting['limit']} samples alone" if setting["limit"] else ""
    return (
        f"{setting['model']} ({setting['system']}{size}{dtype}), weights {setting['weights']},"
        f" vlseg {setting['version']}{commit}{limit}"
    )


def protocol_words(benchmark: Mapping[str, Any]) -> str:
    """How a benchmark of the summary was measured, on one line."""
    threshold = benchmark["threshold"]
    words = [f"{switch}={choice}" for switch, choice in benchmark["protocol"].items()]
    words.append("threshold: the task's own" if threshold is None else f"threshold: {threshold:g}")
    whole = benchmark["samples_published"]
    words.append(f"{benchmark['samples']:,}{f' of {whole:,}' if whole else ''} samples")
    return ", ".join(words)


def write_summary(folder: OutputFolder, summary: Summary) -> None:
    """Write scores.json and scores.csv. Raises OutputError."""
    folder.write((json.dumps(summary, indent=1) + "\n").encode(), "scores.json")
    folder.write(_csv(summary).encode(), "scores.csv")


def _benchmark(entry: PlannedBenchmark, result: Result) -> dict[str, Any]:
    benchmark = entry.benchmark
    return {
        "name": benchmark.name,
        "title": benchmark.title,
        "task": benchmark.task.value,
        "protocol": dict(entry.protocol),
        "threshold": benchmark.threshold,
        "answers": result.n,
        "samples": len(entry.opened.dataset),
        "samples_published": benchmark.size,
        "measures": dict(result.measures),
        "groups": {name: dict(group) for name, group in result.groups.items()},
        "published": [
            {"model": one.model, "measure": one.measure, "value": one.value, "source": one.source}
            for one in published(benchmark.name)
        ],
    }


def _csv(summary: Summary) -> str:
    """A line per number: measured ones of this model, published ones with their source."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("benchmark", "measure", "model", "value", "answers", "source"))
    model = summary["setting"]["model"]
    for one in summary["benchmarks"]:
        protocol = " ".join(f"{switch}={choice}" for switch, choice in one["protocol"].items())
        for measure, value in one["measures"].items():
            shown = "" if value is None else value
            source = f"measured {protocol}".rstrip()
            lines.writerow((one["name"], measure, model, shown, one["answers"], source))
        for there in one["published"]:
            printed = (there["measure"], there["model"], there["value"], "", there["source"])
            lines.writerow((one["name"], *printed))
    return text.getvalue()
