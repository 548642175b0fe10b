"""What every score is: it takes answered samples in any order and knows the numbers at the end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.schema import ClipSample, Prediction, Sample

Taken = TypeVar("Taken", Sample, ClipSample, contravariant=True)


@dataclass(frozen=True, slots=True)
class Result:
    """The numbers of one benchmark as the papers print them: percent (MME: points).

    measures: by name, the one of the tables first; None where nothing was asked. groups: further
    numbers by what they are about ('gIoU by kind'), for bars: name -> number. n: how many answers
    were counted. details: numbers of a benchmark with a JSON form of its own, as fractions.
    """

    measures: Mapping[str, float | None]
    n: int
    groups: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


class Scorer(Protocol[Taken]):
    """Gathers the answers to one benchmark. Their order does not change a bit of the result."""

    def add(self, sample: Taken, predictions: Sequence[Prediction]) -> Iterable[Case]:
        """Count an answered sample; returns what is worth a look in the report.

        predictions: of a picture, one per query; of a clip, one per query for each of its frames,
        frame by frame.
        """
        ...

    def result(self) -> Result:
        """The numbers over everything that came."""
        ...


class Submission(Protocol[Taken]):
    """Writes answers in the form in which a benchmark's server takes them.

    Like scores, it is given every answered sample, in any order, and some of them again after a
    kill: the same samples make the same files.
    """

    def add(self, sample: Taken, predictions: Sequence[Prediction]) -> None:
        """Take an answered sample; see ``Scorer``. Raises OutputError."""
        ...

    def close(self) -> None:
        """All samples came: write what belongs to them together. Raises OutputError."""
        ...


def percent(fraction: float | None) -> float | None:
    """0.5 to 50; None stays None."""
    return None if fraction is None else 100 * fraction


class ServerScorer:
    """A measure that nobody here can know."""

    def __init__(self, measure: str) -> None:
        self._measure = measure

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> list[Case]:  # noqa: ARG002
        """See ``Score``."""
        return []

    def result(self) -> Result:
        """See ``Score``."""
        return Result({self._measure: None}, 0)
