"""All benchmarks by name, and the papers' numbers for them, read from ``published.toml``."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from vlseg_cli.datasets.registry import DATASETS
from vlseg_cli.evaluation.benchmarks import categories, expressions, questions, videos
from vlseg_cli.evaluation.benchmarks.base import Benchmark
from vlseg_cli.outputs.atomic import remove_partial_files
from vlseg_cli.schema import UsageError

_FIRST_SEED = 910000  # beyond those of any training


@dataclass(frozen=True, slots=True)
class Published:
    """One printed number: percent, for MME points. source: paper and table."""

    benchmark: str
    measure: str
    model: str
    value: float
    source: str


def published(benchmark: str) -> list[Published]:
    """All numbers of a benchmark, in the order of the file: a paper's own model before others."""
    return [one for one in all_published() if one.benchmark == benchmark]


def published_rows(benchmark: str) -> list[dict[str, Any]]:
    """The same in JSON values."""
    keys = ("model", "measure", "value", "source")
    return [{key: getattr(one, key) for key in keys} for one in published(benchmark)]


@cache
def all_published() -> tuple[Published, ...]:
    """Every number there is."""
    text = files("vlseg_cli.evaluation.benchmarks").joinpath("published.toml").read_text("utf-8")
    return tuple(
        Published(benchmark, table["measure"], model, float(value), table["source"])
        for table in tomllib.loads(text)["table"]
        for model, *values in table["rows"]
        for benchmark, value in zip(table["benchmarks"], values, strict=True)
        if value != ""
    )


FAMILIES = (expressions, categories, videos, questions)

BENCHMARKS: Mapping[str, Benchmark] = {
    one.name: one for family in FAMILIES for one in family.BENCHMARKS
}


def find_benchmarks(names: Iterable[str]) -> list[Benchmark]:
    """The benchmarks of these names, each once. Raises UsageError for an unknown one."""
    found = []
    for name in dict.fromkeys(names):
        if name not in BENCHMARKS:
            raise UsageError(f"There is no benchmark {name!r}: see 'vlseg eval --list'.")
        found.append(BENCHMARKS[name])
    return found


def switches_of(benchmarks: Iterable[Benchmark]) -> dict[str, tuple[str, ...]]:
    """What can be chosen in any of the benchmarks."""
    return {switch: choices for one in benchmarks for switch, choices in one.switches.items()}


def write_toy_sets(benchmarks: Iterable[Benchmark], folder: Path, scenes: int = 12) -> None:
    """Write small synthetic sets in the published forms below ``folder``, each once.

    What a killed writer left there is removed. Raises OutputError if a file cannot be written.
    """
    remove_partial_files(folder)
    seeds = range(_FIRST_SEED, _FIRST_SEED + scenes)
    written = set()
    for one in benchmarks:
        entry = DATASETS[one.dataset]
        for split in one.splits:
            toy = entry.write, entry.folders[0], split if entry.by_split else ""
            if toy not in written:
                written.add(toy)
                entry.write_toy(folder / entry.folders[0], seeds, split)
