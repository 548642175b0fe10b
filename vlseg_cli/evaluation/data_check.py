"""Whether the data of each benchmark is complete, incomplete, damaged or missing.

The readers decide, with the protocol of a benchmark's first paper: what can be read here can be
evaluated.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vlseg_cli.datasets.base import ClipDataset, Dataset
from vlseg_cli.evaluation.benchmarks.base import Benchmark
from vlseg_cli.schema import ClipSample, InputError, NoInputError

State = Literal["complete", "in part", "damaged", "missing"]

_LISTED = 10  # of what is wrong with a set


@dataclass(frozen=True, slots=True)
class DatasetFinding:
    """One benchmark's data. samples: how many there are, of how many published (None: unknown).

    problems: the first sentences of what is missing or damaged; faulty: how many samples have one.
    """

    benchmark: str
    title: str
    state: State
    samples: int
    published: int | None
    faulty: int
    problems: tuple[str, ...]


def check_data(
    benchmarks: Iterable[Benchmark], data: Path, thorough: bool
) -> Iterator[DatasetFinding]:
    """Find each benchmark below ``data``.

    thorough: read every sample; else only check that each image exists.
    """
    for benchmark in benchmarks:
        try:
            dataset = benchmark.find(data, benchmark.protocol("", {})).dataset
        except NoInputError as error:
            yield _finding(benchmark, "missing", 0, [str(error)])
        except InputError as error:
            yield _finding(benchmark, "damaged", 0, [str(error)])
        else:
            problems = list(_problems(dataset, thorough))
            whole = benchmark.size is None or len(dataset) >= benchmark.size
            state: State = "damaged" if problems else "complete" if whole else "in part"
            yield _finding(benchmark, state, len(dataset), problems)


def _problems(dataset: Dataset | ClipDataset, thorough: bool) -> Iterator[str]:
    check = _read if thorough else _exists
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda number: check(dataset, number), range(len(dataset))):
            if found:
                yield found


def _exists(dataset: Dataset | ClipDataset, number: int) -> str:
    """What is wrong with a sample without reading it, '' if nothing."""
    try:
        source = dataset.source(number)
    except (InputError, NoInputError) as error:
        return str(error)
    table, colon, _ = source.rpartition(":")  # a row of a table has no file of its own
    there = Path(source).exists() or (bool(colon) and Path(table).is_file())
    return "" if there else f"{source} is missing."


def _read(dataset: Dataset | ClipDataset, number: int) -> str:
    """What is wrong with a sample, or with a clip's frames and truth, '' if nothing."""
    try:
        sample = dataset[number]
        if isinstance(sample, ClipSample):
            for frame in range(sample.length):
                sample.read(frame)
                for query in sample.queries:
                    query.masks(frame)
    except (InputError, NoInputError) as error:
        return str(error)
    return ""


def _finding(
    benchmark: Benchmark, state: State, samples: int, problems: list[str]
) -> DatasetFinding:
    faulty = len(problems) if samples else 0
    few = tuple(problems[:_LISTED])
    return DatasetFinding(
        benchmark.name, benchmark.title, state, samples, benchmark.size, faulty, few
    )
