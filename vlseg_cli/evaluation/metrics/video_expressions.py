"""Expressions about videos: J and F of MeViS and Ref-YouTube-VOS; ReVOS.

MeViS (Ding et al. 2023, ``tools/eval_mevis.py``): the mean over an expression's annotated frames,
then over all expressions. The Ref-YouTube-VOS server does the same; its truth is not public. VISA
scores Ref-DAVIS17 so, too. ReVOS (VISA's ``tools/eval_revos.py``, Yan et al. 2024, used unchanged
by HyperSeg) has accuracy A and robustness R besides; percents are rounded to two digits before they
are averaged, and "overall" is the mean of the two groups' means, not of all expressions.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.exact import ExactSum
from vlseg_cli.evaluation.metrics.jf import FrameMeans, same_frames
from vlseg_cli.schema import InputError


@dataclass(frozen=True, slots=True)
class ExpressionResult:
    """Means over ``n`` expressions, in [0, 1]; None if there were none."""

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
        """The means over everything that was added."""
        j, f = self._j.mean, self._f.mean
        jf = None if j is None or f is None else (j + f) / 2
        return ExpressionResult(jf, j, f, self._j.count)


Mask = NDArray[np.bool_] | NDArray[np.uint8]  # (H, W)


class ExpressionType(IntEnum):
    """``type_id`` of an expression; those about nothing in the video enter no mean."""

    REFERRING = 0
    REASONING = 1
    NO_OBJECT = 2


@dataclass(frozen=True, slots=True)
class ReVOSScore:
    """Region, contour, accuracy and robustness in [0, 1]; r is None without foreground."""

    j: float | None
    f: float | None
    a: float | None
    r: float | None

    @property
    def jf(self) -> float | None:
        """Mean of J and F."""
        return None if self.j is None or self.f is None else (self.j + self.f) / 2


@dataclass(frozen=True, slots=True)
class ReVOSResult:
    """Scores of each group and the mean of the two."""

    referring: ReVOSScore
    reasoning: ReVOSScore
    overall: ReVOSScore


_FAILED = ReVOSScore(0.0, 0.0, 0.0, 0.0)
_MEASURES = ("j", "f", "a", "r")


class ReVOS:
    """One mask per frame and expression.

    raw_pixels: take A and R of pixel values as they were stored, in the evaluator's own uint8
    arithmetic. It is right for masks of 0 and 1 alone: with 255, which everybody writes, every
    foreground pixel counts as wrong. J and F do not depend on it. decimals: of each expression's
    percents before averaging; None does not round.
    """

    def __init__(self, *, raw_pixels: bool = False, decimals: int | None = 2) -> None:
        self._raw_pixels = raw_pixels
        self._decimals = decimals
        self._sums = {
            kind: {measure: ExactSum() for measure in _MEASURES} for kind in ExpressionType
        }

    def add(
        self,
        kind: ExpressionType,
        prediction: Iterable[Mask] | None,
        truth: Iterable[Mask],
        foreground: Iterable[int] | None = None,
    ) -> ReVOSScore:
        """Count one expression's masks (H, W), frame by frame; returns its scores, not rounded.

        prediction: None if a frame is missing; that, like a wrong size, scores 0 throughout.
        truth: the union of what is meant; the sum of its objects for ``raw_pixels``. foreground:
        px of every annotated object of the video in each frame, for R.
        """
        score = _FAILED
        if prediction is not None:
            with contextlib.suppress(InputError):
                score = self._score(prediction, truth, foreground)
        for measure, total in self._sums[kind].items():
            value = getattr(score, measure)
            if value is not None:
                total.add(self._rounded(value))
        return score

    def merge(self, other: "ReVOS") -> None:
        """Take over all expressions of a meter with the same settings."""
        for kind, sums in other._sums.items():
            for measure, total in sums.items():
                self._sums[kind][measure].merge(total)

    def result(self) -> ReVOSResult:
        """The scores over everything that was added."""
        referring, reasoning = (
            ReVOSScore(*(self._sums[kind][measure].mean for measure in _MEASURES))
            for kind in (ExpressionType.REFERRING, ExpressionType.REASONING)
        )
        pairs = [(getattr(referring, m), getattr(reasoning, m)) for m in _MEASURES]
        overall = [None if None in pair else (pair[0] + pair[1]) / 2 for pair in pairs]
        return ReVOSResult(referring, reasoning, ReVOSScore(*overall))

    def _score(
        self, prediction: Iterable[Mask], truth: Iterable[Mask], foreground: Iterable[int] | None
    ) -> ReVOSScore:
        frames, accuracy, robustness = FrameMeans(), [], []
        areas = repeat(0) if foreground is None else foreground
        for (goal, guess), area in zip(same_frames(truth, prediction), areas, strict=False):
            frames.add(guess > 0, goal > 0)
            right, wrong = self._pixels(guess, goal)
            accuracy.append(right)
            robustness.append(max(1 - wrong / (area + 1e-6), 0.0))
        j, f = frames.means
        r = None if foreground is None else float(np.mean(robustness))
        return ReVOSScore(j, f, float(np.mean(accuracy)), r)

    def _pixels(self, prediction: Mask, truth: Mask) -> tuple[float, int]:
        """Share of right pixels of one frame, and how many of the foreground are wrong."""
        if not self._raw_pixels:
            prediction, truth = prediction > 0, truth > 0
        guess, goal = prediction.astype(np.uint8), truth.astype(np.uint8)
        return float((guess == goal).mean()), int(((1 - goal) * guess).sum())

    def _rounded(self, value: float) -> float:
        if self._decimals is None:
            return value
        return float(np.round(100 * value, self._decimals)) / 100
