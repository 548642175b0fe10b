"""Outcome and setting of an evaluation as plain values: for JSON, CSV, terminal and page."""

import csv
import io
import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import vlseg_cli
from vlseg_cli.evaluation.benchmarks.table import published_rows
from vlseg_cli.evaluation.plan import EvaluationPlan, PlannedBenchmark
from vlseg_cli.evaluation.run import Evaluation
from vlseg_cli.evaluation.scorers.base import Result
from vlseg_cli.models.base import FULL, Dtype
from vlseg_cli.models.registry import system_of
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.digest import model_digest
from vlseg_cli.weights.resolve import model_folder
from vlseg_cli.weights.settings import load_settings


@dataclass(frozen=True, slots=True)
class Setting:
    """model: name, system: its architecture, weights: digest of its files. dtype: of its language
    model. resolution: px of the
    network's input, None if unknown. version, commit: of vlseg, commit '' if it
    was installed from a package. data: root of the data. limit: samples of each benchmark.
    """

    model: str
    system: str
    weights: str
    dtype: Dtype
    resolution: int | None
    version: str
    commit: str
    data: str
    limit: int | None


def setting(model: str | None, dtype: Dtype, data: Path, limit: int | None) -> Setting:
    """Collect it. Raises WeightsError if there is no such model."""
    folder = model_folder(model)
    return Setting(
        model or "embedded",
        system_of(folder),
        model_digest(folder),
        dtype,
        _resolution(folder),
        vlseg_cli.__version__,
        _commit(),
        str(data),
        limit,
    )


def _resolution(folder: Path) -> int | None:
    try:
        size = load_settings(folder)["config"].get("image_size")
    except WeightsError:  # as its authors publish it
        return None
    return size if isinstance(size, int) else None


def _commit() -> str:
    """Of the working copy that vlseg runs from; '' if it was installed from a package."""
    root = Path(vlseg_cli.__file__).parents[1]
    if not (root / ".git").exists():
        return ""
    command = ("git", "-C", str(root), "rev-parse", "--short=12", "HEAD")
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


Summary = Mapping[str, Any]  # {"setting": …, "benchmarks": [{"name": …, "measures": …, …}, …]}


def summarize(plan: EvaluationPlan, setting: Setting, done: Evaluation) -> Summary:
    """The finished scores with all they depend on."""
    assert done.results is not None
    rows = [_benchmark(entry, done.results[entry.benchmark.name]) for entry in plan.entries]
    return {
        "setting": asdict(setting),
        "failed": len(done.summary.failed),
        "benchmarks": rows,
    }


def setting_line(summary: Summary) -> str:
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


def protocol_line(benchmark: Mapping[str, Any]) -> str:
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
        "published": published_rows(benchmark.name),
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
