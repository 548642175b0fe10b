"""Sums and means that are the same in any order and however the work was split.

Floating-point addition is not associative, so shards would differ in the last bits; every float is
a fraction with a power of two below the line, and fractions add exactly in bounded memory.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction
from typing import Self


class ExactSum:
    """Adds floats or fractions without rounding; only reading it rounds, once."""

    def __init__(self) -> None:
        self.count = 0
        self._total = Fraction(0)

    def add(self, value: float | Fraction) -> None:
        """Add one finite value."""
        self._total += Fraction(value)
        self.count += 1

    def merge(self, other: "ExactSum") -> None:
        """Add the values of another sum."""
        self._total += other._total
        self.count += other.count

    @property
    def total(self) -> float:
        """The sum, correctly rounded; 0 if nothing was added."""
        return float(self._total)

    @property
    def mean(self) -> float | None:
        """The mean, correctly rounded; None if nothing was added."""
        return float(self._total / self.count) if self.count else None


def share(part: int, whole: int) -> float | None:
    """Part of whole; None of nothing."""
    return part / whole if whole else None


@dataclass(frozen=True, slots=True)
class AccuracyResult:
    """Accuracy in [0, 1] over ``n`` predictions; None if there were none."""

    accuracy: float | None
    n: int


class AccuracyMeter:
    """Counts right predictions: the base of metrics that are an accuracy."""

    def __init__(self) -> None:
        self._correct = self._n = 0

    def count(self, correct: bool) -> bool:
        """Count one prediction; returns whether it is right."""
        self._correct += correct
        self._n += 1
        return correct

    def merge(self, other: Self) -> None:
        """Take over all predictions of a meter with the same settings."""
        self._correct += other._correct
        self._n += other._n

    def result(self) -> AccuracyResult:
        """The accuracy over everything that was added."""
        return AccuracyResult(share(self._correct, self._n), self._n)


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """right of n predictions, and whole of the groups: those without a wrong prediction."""

    right: int
    n: int
    whole: int
    groups: int


class GroupedAccuracy:
    """Counts right predictions by group: the questions of an image, the rotations of a question."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, list[int]] = {}  # right, in all

    def count(self, group: Hashable, correct: bool) -> bool:
        """Count one prediction; returns whether it is right."""
        self._add(group, correct, 1)
        return correct

    def merge(self, other: "GroupedAccuracy") -> None:
        """Take over all predictions of another meter; a group may have some in both."""
        for group, counts in other._groups.items():
            self._add(group, *counts)

    def counts(self) -> GroupCounts:
        """The counts over everything that was added."""
        rows = list(self._groups.values())
        right, n = (sum(counts[i] for counts in rows) for i in (0, 1))
        return GroupCounts(right, n, sum(counts[0] == counts[1] for counts in rows), len(rows))

    def _add(self, group: Hashable, right: int, n: int) -> None:
        counts = self._groups.setdefault(group, [0, 0])
        counts[0] += right
        counts[1] += n
