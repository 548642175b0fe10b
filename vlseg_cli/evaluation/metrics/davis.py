"""DAVIS-2017 (Pont-Tuset et al. 2017): J and F per object, semi-supervised and unsupervised; and
Ref-DAVIS17.

As ``davis2017-evaluation`` computes them (``davis2017/evaluation.py``). Ref-DAVIS17 (Khoreva et al.
2018) has expressions instead of first-frame masks: two annotators wrote two for each object, so
there are four runs over the same videos; each is scored as unsupervised DAVIS and the mean of the
four is reported (objects fused as in ReferFormer, ``inference_davis.py``). VISA scores it by J and
F per expression instead, ``video_expressions.ExpressionJF``; the two are not comparable.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.jf import (
    contour,
    contour_match,
    contour_reach,
    region_similarity,
    same_frames,
)
from vlseg_cli.schema import InputError

VOID = 255  # in unsupervised annotations: pixels that count neither way
PROPOSALS = 20  # at most, in an unsupervised prediction

IdMap = NDArray[np.integer]  # (H, W)
IdMaps = Iterable[IdMap]  # frame by frame, so that a video need not be in memory at once


@dataclass(frozen=True, slots=True)
class OverFrames:
    """One measure of one object, in [0, 1]: mean, share of frames above 0.5, and loss over time."""

    mean: float
    recall: float
    decay: float


@dataclass(frozen=True, slots=True)
class ObjectScore:
    """Region similarity and contour accuracy of one object."""

    j: OverFrames
    f: OverFrames

    @property
    def jf(self) -> float:
        """The mean of both means."""
        return (self.j.mean + self.f.mean) / 2


@dataclass(frozen=True, slots=True)
class DavisResult:
    """Means over objects, in [0, 1]; None without any. objects: '<sequence>_<number>' to score."""

    jf: float | None
    j: OverFrames | None
    f: OverFrames | None
    objects: dict[str, ObjectScore]


class _Davis:
    """Keeps the scores of each object; sequences are named, so none can be counted twice."""

    def __init__(self) -> None:
        self._sequences: dict[str, list[ObjectScore]] = {}

    def merge(self, other: "_Davis") -> None:
        """Take over all sequences of another meter. Raises InputError if they share one."""
        for sequence, scores in other._sequences.items():
            self._keep(sequence, scores)

    def result(self) -> DavisResult:
        """The scores over everything that was added."""
        objects = {
            f"{sequence}_{number}": score
            for sequence, scores in sorted(self._sequences.items())
            for number, score in enumerate(scores, start=1)
        }
        if not objects:
            return DavisResult(None, None, None, objects)
        j = _mean([score.j for score in objects.values()])
        f = _mean([score.f for score in objects.values()])
        return DavisResult(ObjectScore(j, f).jf, j, f, objects)

    def _keep(self, sequence: str, scores: list[ObjectScore]) -> None:
        if sequence in self._sequences:
            raise InputError(f"{sequence!r} is counted twice: give every sequence exactly once.")
        self._sequences[sequence] = scores


class DavisSemiSupervised(_Davis):
    """Objects are given in the first frame; object k of the prediction is object k.

    The first and the last frame are not scored. Ids that occur later in the truth are ignored.
    """

    def add(self, sequence: str, truth: IdMaps, prediction: IdMaps) -> list[ObjectScore]:
        """Count one sequence of id maps (H, W), more than two frames; returns its objects' scores.

        Objects that the prediction lost are empty. Raises InputError if frames or sizes differ, a
        predicted id is above the number of objects, or the sequence was counted before.
        """
        frames = _frames(sequence, truth, prediction)
        first, _ = next(frames)
        objects = _count(first)
        table = _PairScores([(number, number) for number in range(1, objects + 1)])
        for (goal, guess), _ in pairwise(frames):  # all but the last
            if guess.max() > objects:
                raise InputError(
                    f"The prediction for {sequence!r} has object {guess.max()}, but its first frame"
                    f" shows {objects}: predicted ids must be those of the first frame."
                )
            table.add(goal, guess)
        scores = [ObjectScore(*map(_over_frames, rows)) for rows in zip(*table.rows(), strict=True)]
        self._keep(sequence, scores)
        return scores


class DavisUnsupervised(_Davis):
    """Objects are not given: the best one-to-one matching of proposals to objects counts.

    All frames are scored, void pixels are not. As in the official tables, an object's number
    follows the ids of its matched proposals.
    """

    def add(self, sequence: str, truth: IdMaps, prediction: IdMaps) -> list[ObjectScore]:
        """Count one sequence of id maps (H, W), 255 = void in the truth; returns its scores.

        Raises InputError if frames or sizes differ, there are more than 20 proposals, or the
        sequence was counted before.
        """
        from scipy.optimize import linear_sum_assignment

        frames = _frames(sequence, truth, prediction)
        opening = next(frames)
        objects, most = _count(opening[0]), 0
        numbers = range(1, max(PROPOSALS, objects) + 1)  # missing proposals are empty
        table = _PairScores([(p, o) for p in numbers for o in range(1, objects + 1)])
        for goal, guess in chain([opening], frames):
            most = max(most, int(guess.max()))
            if most > PROPOSALS:
                raise InputError(
                    f"The prediction for {sequence!r} has {most} proposals: "
                    f"at most {PROPOSALS} are allowed."
                )
            table.add(goal, guess, goal == VOID)
        j, f = (rows.reshape(len(numbers), objects, -1) for rows in table.rows())
        j, f = (rows[: max(most, objects)] for rows in (j, f))
        chosen = linear_sum_assignment(-(j.mean(axis=2) + f.mean(axis=2)) / 2)
        pairs = zip(j[chosen], f[chosen], strict=True)
        scores = [ObjectScore(*map(_over_frames, rows)) for rows in pairs]
        self._keep(sequence, scores)
        return scores


class _PairScores:
    """J and F of pairs (proposal, object), frame by frame; of a frame only numbers are kept."""

    def __init__(self, pairs: list[tuple[int, int]]) -> None:
        self._pairs = pairs
        self._frames: list[list[tuple[float, float]]] = []

    def add(self, goal: IdMap, guess: IdMap, void: NDArray[np.bool_] | None = None) -> None:
        """Score one frame; void pixels are background of both."""
        if void is not None:
            goal, guess = np.where(void, 0, goal), np.where(void, 0, guess)
        reach = contour_reach(*goal.shape)
        goals = {number: goal == number for number in {pair[1] for pair in self._pairs}}
        guesses = {number: guess == number for number in np.unique(guess).tolist()}
        nothing = np.zeros(guess.shape, bool)
        true_contours = {number: contour(mask) for number, mask in goals.items()}
        contours = {number: contour(mask) for number, mask in guesses.items()}
        no_contour = contour(nothing)
        self._frames.append(
            [
                (
                    region_similarity(guesses.get(proposal, nothing), goals[number]),
                    contour_match(contours.get(proposal, no_contour), true_contours[number], reach),
                )
                for proposal, number in self._pairs
            ]
        )

    def rows(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """J and F of each pair in each frame: two arrays (pairs, T)."""
        table = np.array(self._frames).reshape(len(self._frames), len(self._pairs), 2)
        return table[:, :, 0].T, table[:, :, 1].T


def _frames(sequence: str, truth: IdMaps, prediction: IdMaps) -> Iterator[tuple[IdMap, IdMap]]:
    try:
        yield from same_frames(truth, prediction)
    except InputError as error:
        raise InputError(f"{sequence!r}: {error}") from error


def _count(first: IdMap) -> int:
    """How many objects the first frame of the truth shows."""
    return int(np.where(first == VOID, 0, first).max())


def _over_frames(values: NDArray[np.float64]) -> OverFrames:
    """Statistics of one measure (T,); the quarters share their border frames, as published."""
    bounds = np.round(np.linspace(1, len(values), 5) + 1e-10).astype(int) - 1
    first, last = values[bounds[0] : bounds[1] + 1], values[bounds[3] : bounds[4] + 1]
    return OverFrames(
        mean=float(values.mean()),
        recall=float((values > 0.5).mean()),
        decay=float(first.mean() - last.mean()),
    )


def _mean(rows: list[OverFrames]) -> OverFrames:
    """The mean of each number, the same in any order."""
    count = len(rows)
    return OverFrames(
        mean=math.fsum(row.mean for row in rows) / count,
        recall=math.fsum(row.recall for row in rows) / count,
        decay=math.fsum(row.decay for row in rows) / count,
    )


RUNS = 4
MASK_THRESHOLD = 0.5
BACKGROUND = 0.1  # score of pixels outside all masks


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
        """The scores over everything that was added."""
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
