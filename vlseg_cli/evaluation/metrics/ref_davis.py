"""Ref-DAVIS17: DAVIS-2017 val with sentences instead of first-frame masks.

Two annotators wrote two expressions per object, so there are four runs over the same videos; each
is scored as unsupervised DAVIS and the mean of the four is reported (Khoreva et al. 2018; the
fusion of objects as in ReferFormer, ``inference_davis.py``). VISA's other protocol, J and F per
expression, is ``mevis.ExpressionJF``; its numbers cannot be compared with these.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.davis import DavisResult, DavisUnsupervised, IdMaps, ObjectScore

RUNS = 4
MASK_THRESHOLD = 0.5
BACKGROUND = 0.1  # the score nobody's pixels have; only a mask's own pixels can beat it


@dataclass(frozen=True, slots=True)
class RefDavisResult:
    """Means over the runs, in [0, 1]; None unless every run has a sequence."""

    jf: float | None
    j: float | None
    f: float | None
    runs: tuple[DavisResult, ...]


class RefDavis:
    """Four runs of unsupervised DAVIS, numbered 0 to 3."""

    def __init__(self) -> None:
        self._runs = tuple(DavisUnsupervised() for _ in range(RUNS))

    def add(self, run: int, sequence: str, truth: IdMaps, prediction: IdMaps) -> list[ObjectScore]:
        """Count one sequence of id maps (H, W) in one run; see ``DavisUnsupervised.add``."""
        return self._runs[run].add(sequence, truth, prediction)

    def merge(self, other: "RefDavis") -> None:
        """Take over all runs of another meter. Raises InputError if they share a sequence."""
        for mine, theirs in zip(self._runs, other._runs, strict=True):
            mine.merge(theirs)

    def result(self) -> RefDavisResult:
        """The scores over everything that came."""
        runs = tuple(run.result() for run in self._runs)
        j = [run.j.mean for run in runs if run.j is not None]
        f = [run.f.mean for run in runs if run.f is not None]
        if len(j) < RUNS:
            return RefDavisResult(None, None, None, runs)
        mean_j, mean_f = math.fsum(j) / RUNS, math.fsum(f) / RUNS
        return RefDavisResult((mean_j + mean_f) / 2, mean_j, mean_f, runs)


def fuse_objects(scores: Sequence[NDArray[np.floating]]) -> NDArray[np.int64]:
    """One id map (H, W) of the mask scores (H, W), in [0, 1], of objects 1, 2, …; 0 = background.

    Scores below 0.5 cannot win; of equal scores the first object's does.
    """
    kept = [np.where(score < MASK_THRESHOLD, 0, score) for score in scores]
    background = np.full(scores[0].shape, BACKGROUND)
    owners: NDArray[np.int64] = np.argmax(np.stack([background, *kept]), axis=0)
    return owners
