"""Small drawn sets in the published forms, to try benchmarks without their data."""

from collections.abc import Iterable
from pathlib import Path

from vlseg_cli.evaluation.benchmarks.base import Benchmark

_FIRST_SEED = 910000  # beyond what any training draws


def write_toy_sets(benchmarks: Iterable[Benchmark], folder: Path, scenes: int = 12) -> None:
    """Draw what the benchmarks need below ``folder``; those of one set share it.

    Raises OutputError if a file cannot be written.
    """
    seeds = range(_FIRST_SEED, _FIRST_SEED + scenes)
    for write_toy in dict.fromkeys(one.write_toy for one in benchmarks):
        write_toy(folder, seeds)
