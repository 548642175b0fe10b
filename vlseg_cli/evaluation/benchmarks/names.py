"""What all benchmarks that ask for a list of names have in common: how they are opened."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast

from vlseg_cli.datasets.class_names import Naming
from vlseg_cli.datasets.dataset import Dataset
from vlseg_cli.evaluation.benchmarks import benchmark
from vlseg_cli.evaluation.scores.score import Score
from vlseg_cli.schema import Categories


class NamedDataset(Dataset, Protocol):
    """A data set that knows what it asks for."""

    categories: Categories


Reader = Callable[[Path, Naming], NamedDataset]


def open_names(
    read: Reader,
    score: Callable[[Categories], Score[Any]],
    home: Path,
    protocol: benchmark.Protocol,
) -> benchmark.Opened:
    """Open a data set with the names of a protocol, and what scores them."""
    dataset = read(home, cast(Naming, protocol["names"]))
    return benchmark.Opened(dataset, score(dataset.categories))
