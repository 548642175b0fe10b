"""Cityscapes' own average precision of instance masks, which is not COCO's.

``cityscapesscripts/evaluation/evalInstanceLevelSemanticLabeling.py`` (Cordts et al. 2016): ten
overlaps from .50 on, each to be exceeded; objects below 100 px and groups are not counted, and
detections on them or on void are not wrong. PSALM's "Cityscapes AP" is this number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema import InputError

THINGS = (24, 25, 26, 27, 28, 31, 32, 33)  # label ids of person … bicycle
VOID_LABELS = (-1, 0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30)
OVERLAPS = np.arange(0.5, 1.0, 0.05)
SMALLEST = 100  # px
_PER_LABEL = 1000  # ids of single objects are label · 1000 + number, of groups the label alone
_WRONG, _RIGHT, _IGNORED = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class ScoredMask:
    """A detected instance: label id, mask (H, W), score, higher is more confident."""

    label: int
    mask: NDArray[np.bool_]
    score: float


@dataclass(frozen=True, slots=True)
class CityscapesResult:
    """Means in [0, 1] over labels that occur, None if none does; ap50: at the lowest overlap."""

    ap: float | None
    ap50: float | None
    labels: dict[int, float | None]


class _CityscapesFound(NamedTuple):
    """One label in one image: scores (P,), outcome (10, P), objects missed (10,) and in all."""

    scores: NDArray[np.float64]
    outcome: NDArray[np.uint8]
    missed: NDArray[np.int64]
    objects: int


class CityscapesAP:
    """Instance masks against Cityscapes' instanceIds maps. labels: the ids to be scored."""

    def __init__(self, labels: Sequence[int] = THINGS) -> None:
        self._found: dict[int, list[_CityscapesFound]] = {label: [] for label in labels}

    def add(self, truth: NDArray[np.integer], detections: Sequence[ScoredMask]) -> None:
        """Count one image; truth: (H, W) instanceIds. Raises InputError if a size differs."""
        for one in detections:
            if one.mask.shape != truth.shape:
                raise InputError(
                    f"A predicted mask is {one.mask.shape}, its truth {truth.shape}: "
                    "resize the prediction to the image's own grid first."
                )
        ids, areas = np.unique(truth, return_counts=True)
        void = np.isin(truth, VOID_LABELS)
        for label, found in self._found.items():
            mine = (ids == label) | (ids // _PER_LABEL == label)
            guesses = [one for one in detections if one.label == label and one.mask.any()]
            if mine.any() or guesses:
                found.append(_matched(truth, ids[mine], areas[mine], void, guesses))

    def merge(self, other: "CityscapesAP") -> None:
        """Take over all images of another meter of the same labels."""
        for label, found in other._found.items():
            self._found[label] += found

    def result(self) -> CityscapesResult:
        """The numbers over everything that was added."""
        precision = {label: _precision(found) for label, found in self._found.items()}
        known = [values for values in precision.values() if values is not None]
        return CityscapesResult(
            ap=float(np.mean(known)) if known else None,
            ap50=float(np.mean([values[0] for values in known])) if known else None,
            labels={
                label: None if values is None else float(values.mean())
                for label, values in precision.items()
            },
        )


def _matched(
    truth: NDArray[np.integer],
    ids: NDArray[np.integer],
    areas: NDArray[np.int64],
    void: NDArray[np.bool_],
    guesses: Sequence[ScoredMask],
) -> _CityscapesFound:
    """Match detections and objects (ids, with areas) of one label at every overlap."""
    sizes = np.array([np.count_nonzero(one.mask) for one in guesses], np.int64)
    common = np.array(
        [[np.count_nonzero(truth[one.mask] == number) for number in ids] for one in guesses],
        np.int64,
    ).reshape(len(guesses), len(ids))
    scores = np.array([one.score for one in guesses], np.float64)
    is_group, is_small = ids < _PER_LABEL, areas < SMALLEST
    # Official slip: a small group's pixels are taken off twice.
    excused = common @ (is_group.astype(np.int64) + is_small)
    excused += np.array([np.count_nonzero(void & one.mask) for one in guesses], np.int64)
    overlap = common / (areas + sizes[:, None] - common)
    outcome = np.full((len(OVERLAPS), len(guesses)), _WRONG, np.uint8)
    searched = ~is_group & ~is_small
    missed = np.zeros(len(OVERLAPS), np.int64)
    for row, threshold in enumerate(OVERLAPS):
        hits = overlap > threshold
        unmatched = ~hits.any(axis=1)
        outcome[row, unmatched & (excused / np.maximum(sizes, 1) > threshold)] = _IGNORED
        outcome[row, hits[:, ~searched].any(axis=1)] = _IGNORED
        for object_hits in hits[:, searched].T:
            if object_hits.any():
                # Of several detections of an object only the most confident is right.
                rivals = np.flatnonzero(object_hits)
                outcome[row, rivals[np.argmax(scores[rivals])]] = _RIGHT
            else:
                missed[row] += 1
    return _CityscapesFound(scores, outcome, missed, int(searched.sum()))


def _precision(found: Sequence[_CityscapesFound]) -> NDArray[np.float64] | None:
    """AP of one label at each overlap; None if none of its objects is counted."""
    if not any(one.objects for one in found):
        return None
    scores = np.concatenate([one.scores for one in found])
    outcome = np.concatenate([one.outcome for one in found], axis=1)
    missed = np.sum([one.missed for one in found], axis=0)
    return np.array(
        [
            _area(scores[row != _IGNORED], row[row != _IGNORED] == _RIGHT, int(lost))
            for row, lost in zip(outcome, missed, strict=True)
        ]
    )


def _area(scores: NDArray[np.float64], right: NDArray[np.bool_], missed: int) -> float:
    """Area under precision over recall; each point reaches half way to its neighbors."""
    if not len(scores):
        return 0.0
    order = np.argsort(scores, kind="stable")
    below = np.concatenate([[0], np.cumsum(right[order])])
    _, first = np.unique(scores[order], return_index=True)
    kept = below[-1] - below[first]
    precision = kept / (len(scores) - first)
    whole = below[-1] + missed
    recall = kept / whole if whole else np.zeros(len(first))
    curve = np.concatenate([recall[:1], recall, [0.0, 0.0]])
    widths = (curve[:-2] - curve[2:]) / 2
    return float(np.append(precision, 1.0) @ widths)
