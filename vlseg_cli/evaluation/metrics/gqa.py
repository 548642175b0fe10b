"""GQA accuracy: one true answer, matched word for word after a little tidying.

The tidying differs: LLaVA's ``convert_gqa_for_eval.py`` before the official ``eval.py`` (PSALM,
HyperSeg), or InternVL's own exact match (SELF1E).
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class GQAResult:
    """Accuracy in [0, 1] over ``n`` questions; None if there were none."""

    accuracy: float | None
    n: int


class GQAAccuracy:
    """tidying: 'period' drops a final period and lowers the answer alone; 'spaces' trims and lowers
    both sides.
    """

    def __init__(self, tidying: Literal["period", "spaces"] = "period") -> None:
        self._tidying = tidying
        self._correct = 0
        self._n = 0

    def add(self, answer: str, truth: str) -> bool:
        """Count one answer; returns whether it is right."""
        if self._tidying == "period":
            correct = answer.rstrip(".").lower() == truth
        else:
            correct = answer.strip().lower() == truth.strip().lower()
        self._correct += correct
        self._n += 1
        return correct

    def merge(self, other: "GQAAccuracy") -> None:
        """Take over all questions of a meter with the same tidying."""
        self._correct += other._correct
        self._n += other._n

    def result(self) -> GQAResult:
        """The accuracy over everything that came."""
        return GQAResult(self._correct / self._n if self._n else None, self._n)
