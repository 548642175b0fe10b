"""What a scorer is: it takes samples with their predictions in any order and returns numbers."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.schema import ClipSample, Prediction, Query, Sample

Taken = TypeVar("Taken", Sample, ClipSample, contravariant=True)


@dataclass(frozen=True, slots=True)
class Result:
    """The numbers of one benchmark as the papers print them: percent (MME: points).

    measures: by name, the one of the tables first; None where nothing was counted. groups: further
    numbers by what they are about ('gIoU by kind'), for bars: name -> number. n: how many
    predictions were counted. details: numbers of a benchmark with its own JSON form, as fractions.
    """

    measures: Mapping[str, float | None]
    n: int
    groups: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


class Scorer(Protocol[Taken]):
    """Scores one benchmark. The order of the samples does not change a bit of the result."""

    def add(self, sample: Taken, predictions: Sequence[Prediction]) -> Iterable[Case]:
        """Count a sample; returns cases for the report.

        predictions: of an image, one per query; of a clip, one per query for each of its frames,
        frame by frame.
        """
        ...

    def result(self) -> Result:
        """The numbers over everything that was added."""
        ...


class Submission(Protocol[Taken]):
    """Writes predictions in the form that a benchmark's server takes.

    Like a scorer it is given every sample, in any order, and some of them again after a kill: the
    same samples make the same files.
    """

    def add(self, sample: Taken, predictions: Sequence[Prediction]) -> None:
        """Take a sample; see ``Scorer``. Raises OutputError."""
        ...

    def close(self) -> None:
        """After the last sample: write the files that cover all of them. Raises OutputError."""
        ...


def percent(fraction: float | None) -> float | None:
    """0.5 to 50; None stays None."""
    return None if fraction is None else 100 * fraction


class QueryScorer(ABC):
    """Counts every query of an image by itself. n: how many were counted."""

    measure = "IoU"  # the score of a case

    def __init__(self) -> None:
        self.n = 0

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Scorer``."""
        cases = []
        for query, prediction in zip(sample.queries, predictions, strict=True):
            score = self.count(query, prediction)
            if score is not None:
                self.n += 1
                cases.append(Case(sample.frame, query, prediction, self.measure, score))
        return cases

    @abstractmethod
    def count(self, query: Query, prediction: Prediction) -> float | None:
        """Count one prediction; returns its own score in [0, 1], None if there is none."""

    @abstractmethod
    def result(self) -> Result:
        """See ``Scorer``."""


class ServerScorer:
    """For a benchmark whose truth is on a server: no number."""

    def __init__(self, measure: str) -> None:
        self._measure = measure

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> list[Case]:  # noqa: ARG002
        """See ``Scorer``."""
        return []

    def result(self) -> Result:
        """See ``Scorer``."""
        return Result({self._measure: None}, 0)
