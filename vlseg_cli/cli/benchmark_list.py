"""Measured beside published numbers, in lines for a terminal or a log."""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from vlseg_cli.evaluation.benchmarks.base import Benchmark
from vlseg_cli.evaluation.benchmarks.table import BENCHMARKS, published, published_rows
from vlseg_cli.evaluation.summary import Summary, protocol_line, setting_line

# The systems of vlseg, as the papers name their models; the report has all others.
_SYSTEMS = ("PSALM", "HyperSeg-3B", "MVP-LM", "HRSeg", "HRSeg-LLaVA-v1", "SELF1E-2B")


def result_lines(summary: Summary) -> Iterator[str]:
    """The setting, then each benchmark: its measures, and the published numbers."""
    yield setting_line(summary)
    for one in summary["benchmarks"]:
        yield from _lines(one)


def _lines(one: dict[str, Any]) -> Iterator[str]:
    yield f"{one['title']}: {one['answers']:,} answers ({protocol_line(one)})"
    for measure, value in one["measures"].items():
        printed = [
            f"{there['model']} {there['value']:.1f} [{there['source']}]"
            for there in one["published"]
            if there["measure"] == measure and there["model"] in _SYSTEMS
        ]
        yield f"  {measure:<8} {number(value):>6}" + (
            "  · " + ", ".join(printed) if printed else ""
        )


def number(value: float | None) -> str:
    """With one digit, as in papers."""
    return "–" if value is None else f"{value:.1f}"


def show_benchmarks(as_json: bool) -> None:
    """Print the list on stdout."""
    if as_json:
        print(json.dumps([plain(one) for one in BENCHMARKS.values()]))
        return
    for one in BENCHMARKS.values():
        for line in lines(one):
            print(line)


def lines(benchmark: Benchmark) -> Iterator[str]:
    """A benchmark as text."""
    size = f", {benchmark.size:,} samples" if benchmark.size else ""
    yield f"{benchmark.name:<24} {benchmark.title}{size}"
    if benchmark.switches:
        listed = ", ".join(f"{name}={'|'.join(of)}" for name, of in benchmark.switches.items())
        yield f"    --set {listed}"
    if benchmark.server:
        yield f"    scored at {benchmark.server}"
    for source, numbers in groupby(published(benchmark.name), key=lambda one: one.source):
        listed = ", ".join(f"{one.model} {one.value:g} {one.measure}" for one in numbers)
        yield f"    {source}: {listed}"


def plain(benchmark: Benchmark) -> dict[str, object]:
    """The same in JSON values."""
    return {
        "name": benchmark.name,
        "title": benchmark.title,
        "task": benchmark.task.value,
        "samples": benchmark.size,
        "folders": benchmark.homes,
        "switches": benchmark.switches,
        "protocols": benchmark.papers,
        "server": benchmark.server,
        "published": published_rows(benchmark.name),
    }
