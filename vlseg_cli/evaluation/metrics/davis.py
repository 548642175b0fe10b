"""DAVIS-2017: J, F and J&F of whole sequences, semi-supervised and unsupervised.

The rules of ``davis2017-evaluation`` (``davis2017/evaluation.py``; Pont-Tuset et al. 2017, Caelles
et al. 2019). A sequence comes as id maps, 0 = background; every object weighs the same whatever the
length of its sequence.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.jf import (
    contour,
    contour_match,
    contour_reach,
    region_similarity,
)
from vlseg_cli.schema import InputError

VOID = 255  # in unsupervised annotations: pixels that count neither way
PROPOSALS = 20  # at most, in an unsupervised answer

IdMaps = NDArray[np.integer]  # (T, H, W)


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


@dataclass(frozen=True, slots=True)
class DavisResult:
    """Means over objects, in [0, 1]; None if none came. objects: '<sequence>_<number>' to score."""

    jf: float | None
    j: OverFrames | None
    f: OverFrames | None
    objects: dict[str, ObjectScore]


class _Davis:
    """Holds the scores of each object; sequences are named, so none can be counted twice."""

    def __init__(self) -> None:
        self._sequences: dict[str, list[ObjectScore]] = {}

    def merge(self, other: "_Davis") -> None:
        """Take over all sequences of another meter. Raises InputError if they share one."""
        for sequence, scores in other._sequences.items():
            self._keep(sequence, scores)

    def result(self) -> DavisResult:
        """The scores over everything that came."""
        objects = {
            f"{sequence}_{number}": score
            for sequence, scores in sorted(self._sequences.items())
            for number, score in enumerate(scores, start=1)
        }
        if not objects:
            return DavisResult(None, None, None, objects)
        j = _mean([score.j for score in objects.values()])
        f = _mean([score.f for score in objects.values()])
        return DavisResult((j.mean + f.mean) / 2, j, f, objects)

    def _keep(self, sequence: str, scores: list[ObjectScore]) -> None:
        if sequence in self._sequences:
            raise InputError(f"{sequence!r} is counted twice: give every sequence exactly once.")
        self._sequences[sequence] = scores


class DavisSemiSupervised(_Davis):
    """Objects are given in the first frame and followed; object k of the answer is object k.

    The first and the last frame are not scored. Ids that turn up later in the truth are ignored.
    """

    def add(self, sequence: str, truth: IdMaps, prediction: IdMaps) -> list[ObjectScore]:
        """Count one sequence of (T, H, W) id maps, T > 2; returns its objects' scores.

        Objects the answer lost are empty. Raises InputError if the sizes differ, an answered id is
        above the number of objects, or the sequence was counted before.
        """
        _check(sequence, truth, prediction)
        first = np.where(truth[0] == VOID, 0, truth[0])
        objects = range(1, int(first.max()) + 1)
        truth, prediction = truth[1:-1], prediction[1:-1]
        if prediction.size and prediction.max() > len(objects):
            raise InputError(
                f"The answer for {sequence!r} has object {prediction.max()}, but its first frame "
                f"shows {len(objects)}: answered ids must be those of the first frame."
            )
        pairs = [(number, number) for number in objects]
        j, f = _frame_scores(truth, prediction, None, pairs)
        scores = [_object_score(*rows) for rows in zip(j, f, strict=True)]
        self._keep(sequence, scores)
        return scores


class DavisUnsupervised(_Davis):
    """Objects are found without help: the best one-to-one matching of proposals to objects counts.

    All frames are scored, void pixels are not. As in the official tables, an object's number
    follows the ids of its matched proposals.
    """

    def add(self, sequence: str, truth: IdMaps, prediction: IdMaps) -> list[ObjectScore]:
        """Count one sequence of (T, H, W) id maps, 255 = void in the truth; returns its scores.

        Raises InputError if the sizes differ, there are more than 20 proposals, or the sequence
        was counted before.
        """
        from scipy.optimize import linear_sum_assignment

        _check(sequence, truth, prediction)
        if prediction.max() > PROPOSALS:
            raise InputError(
                f"The answer for {sequence!r} has {prediction.max()} proposals: "
                f"at most {PROPOSALS} are allowed."
            )
        void = truth == VOID
        objects = int(np.where(void[0], 0, truth[0]).max())
        proposals = max(int(prediction.max()), objects)
        pairs = [(p, o) for p in range(1, proposals + 1) for o in range(1, objects + 1)]
        j, f = _frame_scores(truth, prediction, void, pairs)
        j, f = (rows.reshape(proposals, objects, len(truth)) for rows in (j, f))
        chosen = linear_sum_assignment(-(j.mean(axis=2) + f.mean(axis=2)) / 2)
        scores = [_object_score(*rows) for rows in zip(j[chosen], f[chosen], strict=True)]
        self._keep(sequence, scores)
        return scores


def _check(sequence: str, truth: IdMaps, prediction: IdMaps) -> None:
    if truth.shape != prediction.shape:
        raise InputError(
            f"The answer for {sequence!r} is {prediction.shape}, its truth {truth.shape}: "
            "both must have the same frames at the video's own size."
        )


def _frame_scores(
    truth: IdMaps, prediction: IdMaps, void: NDArray[np.bool_] | None, pairs: list[tuple[int, int]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """J and F of pairs (proposal, object) in each frame: two arrays (pairs, T)."""
    j, f = np.zeros((len(pairs), len(truth))), np.zeros((len(pairs), len(truth)))
    for frame, (goal, guess) in enumerate(zip(truth, prediction, strict=True)):
        if void is not None:
            goal, guess = np.where(void[frame], 0, goal), np.where(void[frame], 0, guess)
        for row, (similarity, accuracy) in enumerate(_pair_scores(goal, guess, pairs)):
            j[row, frame], f[row, frame] = similarity, accuracy
    return j, f


def _pair_scores(
    goal: NDArray[np.integer], guess: NDArray[np.integer], pairs: list[tuple[int, int]]
) -> Iterator[tuple[float, float]]:
    """J and F of pairs (proposal, object) in one frame; each contour is drawn once."""
    reach = contour_reach(*goal.shape)
    goals = {number: goal == number for number in {pair[1] for pair in pairs}}
    guesses = {number: guess == number for number in {pair[0] for pair in pairs}}
    true_contours = {number: contour(mask) for number, mask in goals.items()}
    contours = {number: contour(mask) for number, mask in guesses.items()}
    for proposal, number in pairs:
        yield (
            region_similarity(guesses[proposal], goals[number]),
            contour_match(contours[proposal], true_contours[number], reach),
        )


def _object_score(j: NDArray[np.float64], f: NDArray[np.float64]) -> ObjectScore:
    return ObjectScore(_over_frames(j), _over_frames(f))


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
