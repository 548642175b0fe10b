"""What a benchmark is: a data set, how papers evaluate on it, and what scores the predictions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

from vlseg_cli.datasets.base import ClipDataset, Dataset
from vlseg_cli.datasets.class_names import Naming
from vlseg_cli.evaluation.benchmarks import base as benchmark
from vlseg_cli.evaluation.scorers.base import Scorer, Submission
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import Categories, NoInputError, Task, UsageError

# One choice for each thing that papers disagree on: {'unit': 'sentence', 'polygons': 'sum'}.
ProtocolChoice = Mapping[str, str]


class Opened(NamedTuple):
    """A benchmark's data and its scorer."""

    dataset: Dataset | ClipDataset
    scorer: Scorer[Any]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One column of a paper's table.

    name: on the command line. title: as papers write it. task: of its prompts.
    homes: folders below --data that may hold it, official first; '.' is --data itself. open: of a
    home and a protocol. write_toy: writes a small set of the same form into the first home,
    from the synthetic scenes of ``seeds=``. switches: what papers disagree on, with all choices.
    papers: what each system's own paper chose; the first is the default of all other systems.
    size: how many samples the published set has, None if unknown. threshold, many: as in
    ``PromptRequest``; thresholds: of tasks that have another one. server: which scores the
    predictions, '' if the truth is public. submission: writes what is sent there into a folder.
    """

    name: str
    title: str
    task: Task
    homes: tuple[str, ...]
    open: Callable[[Path, ProtocolChoice], Opened]
    write_toy: Callable[..., object]
    papers: Mapping[str, ProtocolChoice]
    switches: Mapping[str, tuple[str, ...]]
    size: int | None
    threshold: float | None = None
    many: bool = False
    server: str = ""
    submission: Callable[[OutputFolder], Submission[Any]] | None = None
    thresholds: Mapping[Task, float] = field(default_factory=dict)

    @property
    def is_video(self) -> bool:
        """Whether its samples are clips."""
        return self.task in (Task.VOS, Task.RVOS, Task.VIS)

    def threshold_of(self, task: Task) -> float | None:
        """The threshold for a query of this task."""
        return self.thresholds.get(task, self.threshold)

    def protocol(self, system: str, changes: Mapping[str, str]) -> ProtocolChoice:
        """The choices of a system's own paper, with some changed.

        Changes to switches that this benchmark does not have are for others. Raises UsageError for
        a choice that a switch does not have.
        """
        chosen = dict(self.papers.get(system, next(iter(self.papers.values()))))
        for switch, choice in changes.items():
            if switch not in self.switches:
                continue
            if choice not in self.switches[switch]:
                possible = ", ".join(self.switches[switch])
                raise UsageError(
                    f"{self.name} has no {switch} {choice!r}: choose among {possible}."
                )
            chosen[switch] = choice
        return chosen

    def find(self, data: Path, protocol: ProtocolChoice) -> Opened:
        """Open it in the first of its homes below ``data`` that has it.

        Raises NoInputError naming what is missing, InputError if something is damaged.
        """
        missing: NoInputError | None = None
        for home in self.homes:
            try:
                return self.open(data / home, protocol)
            except NoInputError as error:
                there = (data / home).is_dir() and home != "."
                missing = error if missing is None or there else missing
        raise missing or NoInputError(f"{self.name} has no home below {data}.")


class NamedDataset(Dataset, Protocol):
    """A data set with the category names of its prompts."""

    categories: Categories


Reader = Callable[[Path, Naming], NamedDataset]


def open_names(
    read: Reader,
    score: Callable[[Categories], Scorer[Any]],
    home: Path,
    protocol: benchmark.ProtocolChoice,
) -> benchmark.Opened:
    """Open a data set with the names of a protocol, and its scorer."""
    dataset = read(home, cast(Naming, protocol["names"]))
    return benchmark.Opened(dataset, score(dataset.categories))
