"""``vlseg eval --list``: every benchmark with its switches and the papers' numbers."""

import json
from collections.abc import Iterator
from itertools import groupby

from vlseg_cli.evaluation.benchmarks.benchmark import Benchmark
from vlseg_cli.evaluation.benchmarks.published import published
from vlseg_cli.evaluation.benchmarks.table import BENCHMARKS


def show_benchmarks(as_json: bool) -> None:
    """Print the list on stdout."""
    if as_json:
        print(json.dumps([plain(one) for one in BENCHMARKS.values()]))
        return
    for one in BENCHMARKS.values():
        for line in lines(one):
            print(line)


def lines(benchmark: Benchmark) -> Iterator[str]:
    """A benchmark for a person."""
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
        "published": [
            {"model": one.model, "measure": one.measure, "value": one.value, "source": one.source}
            for one in published(benchmark.name)
        ],
    }
