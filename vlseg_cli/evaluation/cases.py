"""The best and the worst answers of a run, kept for a look with the eye.

Only a handful per task is held at any time, so memory does not grow with the benchmark.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema import Categories, Frame, Prediction, Query, Region, Regions, Segment, Task


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One answer beside its truth, with a score in [0, 1] of its own.

    measure: what the score is: 'IoU', 'PQ', …. position: which of the query's regions it is
    about, 0 for sentences; a prompt of names is one case as a whole.
    """

    frame: Frame
    query: Query
    prediction: Prediction
    measure: str
    score: float
    position: int = 0

    @property
    def words(self) -> str:
        """The prompt as a person reads it."""
        prompt = self.query.prompt
        if isinstance(prompt, Categories):
            return f"all {len(prompt.names)} names"
        return f"this {self.query.kind}" if isinstance(prompt, Regions) else prompt.text

    @property
    def region(self) -> Region | None:
        """What was pointed at, if anything."""
        prompt = self.query.prompt
        return prompt.regions[self.position] if isinstance(prompt, Regions) else None

    @property
    def truth(self) -> NDArray[np.bool_]:
        """The true masks, (N, H, W): all for a prompt of names, one otherwise."""
        return self.query.masks[self._slice]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What was answered: all for a prompt of names, at most one otherwise."""
        return self.prediction.segments[self._slice]

    @property
    def _slice(self) -> slice:
        if isinstance(self.query.prompt, Categories):
            return slice(None)
        return slice(self.position, self.position + 1)


class CaseKeeper:
    """The ``keep`` best and worst cases of each task, at most one of each from any picture."""

    def __init__(self, keep: int = 6) -> None:
        self._keep = keep
        self._best: dict[Task, list[Case]] = {}
        self._worst: dict[Task, list[Case]] = {}

    def add(self, cases: Iterable[Case]) -> None:
        """Look at more cases; those that are neither among the best nor the worst are forgotten."""
        for case in cases:
            task = case.query.task
            for shelf, sign in ((self._best, -1), (self._worst, 1)):
                row = sorted([*shelf.get(task, []), case], key=partial(_rank, sign))
                shelf[task] = list(_one_per_picture(row))[: self._keep]

    def best(self, task: Task) -> list[Case]:
        """Highest score first."""
        return self._best.get(task, [])

    def worst(self, task: Task) -> list[Case]:
        """Lowest score first."""
        return self._worst.get(task, [])


def _rank(sign: int, case: Case) -> tuple[float, str]:
    """Of equal scores the same cases are kept, in whatever order they come."""
    return sign * case.score, case.frame.source


def _one_per_picture(cases: Iterable[Case]) -> Iterator[Case]:
    seen: set[str] = set()
    for case in cases:
        if case.frame.source not in seen:
            seen.add(case.frame.source)
            yield case
