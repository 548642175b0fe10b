"""MeViS and Ref-YouTube-VOS: mean J and mean F of expressions about videos, and their mean J&F.

The MeViS evaluator (Ding et al. 2023, ``tools/eval_mevis.py``): all annotated frames of an
expression, then all expressions, each weighing the same. The Ref-YouTube-VOS server does the same;
its truth is not public. It is also VISA's way to score Ref-DAVIS17 per expression.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.exact import ExactSum
from vlseg_cli.evaluation.metrics.jf import FrameMeans, same_frames


@dataclass(frozen=True, slots=True)
class ExpressionResult:
    """Means over ``n`` expressions, in [0, 1]; None if none came."""

    jf: float | None
    j: float | None
    f: float | None
    n: int


class ExpressionJF:
    """One mask per frame and expression."""

    def __init__(self) -> None:
        self._j = ExactSum()
        self._f = ExactSum()

    def add(
        self, prediction: Iterable[NDArray[np.bool_]], truth: Iterable[NDArray[np.bool_]]
    ) -> tuple[float, float]:
        """Count one expression's masks (H, W), frame by frame; returns its J and F.

        Raises InputError if the frames or their sizes differ.
        """
        frames = FrameMeans()
        for goal, guess in same_frames(truth, prediction):
            frames.add(guess, goal)
        j, f = frames.means
        self._j.add(j)
        self._f.add(f)
        return j, f

    def add_missing(self) -> None:
        """Count an expression that was not answered: it scores 0."""
        self._j.add(0.0)
        self._f.add(0.0)

    def merge(self, other: "ExpressionJF") -> None:
        """Take over all expressions of another meter."""
        self._j.merge(other._j)
        self._f.merge(other._f)

    def result(self) -> ExpressionResult:
        """The means over everything that came."""
        j, f = self._j.mean, self._f.mean
        jf = None if j is None or f is None else (j + f) / 2
        return ExpressionResult(jf, j, f, self._j.count)
