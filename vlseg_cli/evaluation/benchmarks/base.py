"""What a benchmark is: a data set, how papers evaluate on it, and what scores the predictions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from vlseg_cli.datasets.base import ClipDataset, Dataset
from vlseg_cli.datasets.registry import DATASETS
from vlseg_cli.evaluation.scorers.base import Scorer, Submission
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import NoInputError, Task, UsageError

# One choice for each thing that papers disagree on: {'unit': 'sentence', 'polygons': 'sum'}.
ProtocolChoice = Mapping[str, str]


class Opened(NamedTuple):
    """A benchmark's data and its scorer."""

    dataset: Dataset | ClipDataset
    scorer: Scorer[Any]


Score = Callable[[Any, ProtocolChoice], Scorer[Any]]


def always(scorer: Callable[[], Scorer[Any]], _: Any, __: ProtocolChoice) -> Scorer[Any]:
    """A new scorer, the same for all data and protocols; see ``Benchmark.score``."""
    return scorer()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One column of a paper's table.

    name: on the command line. title: as papers write it. task: of its prompts.
    dataset: in ``DATASETS``. splits: of it; a choice 'split' of the protocol replaces the first.
    score: the scorer of an opened data set by a protocol. switches: what papers disagree on, with
    all choices. options: of the reader; passed: switches that are options by the same name;
    choose: other options that a protocol decides.
    papers: what each system's own paper chose; the first is the default of all other systems.
    size: how many samples the published set has, None if unknown. threshold, many: as in
    ``PromptRequest``; thresholds: of tasks that have another one. server: which scores the
    predictions, '' if the truth is public. submission: writes what is sent there into a folder.
    """

    name: str
    title: str
    task: Task
    dataset: str
    splits: tuple[str, ...]
    score: Score
    papers: Mapping[str, ProtocolChoice]
    switches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    size: int | None = None
    threshold: float | None = None
    many: bool = False
    server: str = ""
    submission: Callable[[OutputFolder], Submission[Any]] | None = None
    thresholds: Mapping[Task, float] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    passed: tuple[str, ...] = ()
    choose: Callable[[ProtocolChoice], Mapping[str, Any]] | None = None

    @property
    def is_video(self) -> bool:
        """Whether its samples are clips."""
        return self.task in (Task.VOS, Task.RVOS, Task.VIS)

    @property
    def homes(self) -> tuple[str, ...]:
        """Folders below --data that may hold it, official first."""
        return DATASETS[self.dataset].folders

    def open(self, home: Path, protocol: ProtocolChoice) -> Opened:
        """Open it in one of its homes. Raises NoInputError, InputError."""
        options: dict[str, Any] = {"split": protocol.get("split", self.splits[0]), **self.options}
        options |= {switch: protocol[switch] for switch in self.passed}
        options |= self.choose(protocol) if self.choose else {}
        dataset = DATASETS[self.dataset].read(home, **options)
        return Opened(dataset, self.score(dataset, protocol))

    def threshold_of(self, task: Task) -> float | None:
        """The threshold for a query of this task."""
        return self.thresholds.get(task, self.threshold)

    def protocol(self, system: str, changes: Mapping[str, str]) -> ProtocolChoice:
        """The choices of a system's own paper, with some changed.

        Changes to switches that this benchmark does not have are for others. Raises UsageError for
        a choice that a switch does not have.
        """
        found = dict(self.papers.get(system, next(iter(self.papers.values()))))
        for switch, choice in changes.items():
            if switch not in self.switches:
                continue
            if choice not in self.switches[switch]:
                possible = ", ".join(self.switches[switch])
                raise UsageError(
                    f"{self.name} has no {switch} {choice!r}: choose among {possible}."
                )
            found[switch] = choice
        return found

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
