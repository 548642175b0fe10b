"""The papers' numbers, read from ``published.toml``."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


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
