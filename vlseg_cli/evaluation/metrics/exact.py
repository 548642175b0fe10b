"""Sums and means that are the same in any order and however the work was split.

Floating-point addition is not associative, so shards would differ in the last bits; every float is
a fraction with a power of two below the line, and fractions add exactly in bounded memory.
"""

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


@dataclass(frozen=True, slots=True)
class AccuracyResult:
    """Accuracy in [0, 1] over ``n`` predictions; None if there were none."""

    accuracy: float | None
    n: int


class AccuracyMeter:
    """Counts right predictions: the base of metrics that are an accuracy."""

    def __init__(self) -> None:
        self._correct = self._n = 0

    def count(self, correct: bool) -> None:
        """Count one prediction."""
        self._correct += correct
        self._n += 1

    def merge(self, other: Self) -> None:
        """Take over all predictions of a meter with the same settings."""
        self._correct += other._correct
        self._n += other._n

    def result(self) -> AccuracyResult:
        """The accuracy over everything that was added."""
        return AccuracyResult(self._correct / self._n if self._n else None, self._n)
