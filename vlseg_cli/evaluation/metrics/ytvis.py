"""YouTube-VIS average precision: whole tracks instead of single masks.

The rules of ``youtubevos/cocoapi`` (ytvoseval.py; Yang et al. 2019, section 4): COCO AP with the
IoU of tubes, tracks sized by their mean area, and groups that overlap like anything else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.average_precision import (
    AveragePrecisionResult,
    MatchCandidate,
    MatchTable,
    MatchTarget,
)
from vlseg_cli.schema import RLE

LIMITS = (128.0**2, 256.0**2)  # px² between small, medium and large

Tube = Sequence[RLE | None]  # one mask per frame, None where the track is absent


@dataclass(frozen=True, slots=True)
class TrueTrack:
    """areas: px per frame as the annotation states them, None where the track is absent."""

    category: int
    tube: Tube
    areas: Sequence[float | None]
    is_crowd: bool = False


@dataclass(frozen=True, slots=True)
class DetectedTrack:
    """score: the higher the surer, of any range."""

    category: int
    tube: Tube
    score: float


class VideoAveragePrecision:
    """AP and AR over videos. categories: the ids to be scored; other tracks are left out."""

    def __init__(self, categories: Iterable[int]) -> None:
        self._table = MatchTable(categories, LIMITS)

    def add(
        self,
        video: int | str,
        truths: Sequence[TrueTrack],
        detections: Sequence[DetectedTrack],
    ) -> None:
        """Count one video. Raises InputError if it was counted before."""
        self._table.open(video)
        for category in self._table.categories:
            goals = [one for one in truths if one.category == category]
            guesses = [one for one in detections if one.category == category]
            if goals or guesses:
                self._table.add(
                    video,
                    category,
                    [MatchTarget(_mean_area(one.areas), one.is_crowd) for one in goals],
                    [MatchCandidate(_mean_area(_areas(one.tube)), one.score) for one in guesses],
                    _overlaps(guesses, goals),
                )

    def merge(self, other: "VideoAveragePrecision") -> None:
        """Take over all videos of another meter. Raises InputError if they share one."""
        self._table.merge(other._table)

    def result(self) -> AveragePrecisionResult:
        """The numbers over everything that was added."""
        return self._table.result()


def tube_iou(first: Tube, second: Tube) -> float:
    """Pixels both cover over pixels either covers, all frames together; 0 if both are empty."""
    from pycocotools import mask as coco

    both = either = 0.0
    for one, other in zip(first, second, strict=True):
        if one is not None and other is not None:
            common = float(coco.area(coco.merge([one, other], intersect=True)))
            both += common
            either += float(coco.area(one)) + float(coco.area(other)) - common
        elif (alone := one or other) is not None:
            either += float(coco.area(alone))
    return both / either if either else 0.0


def _overlaps(guesses: Sequence[DetectedTrack], goals: Sequence[TrueTrack]) -> NDArray[np.float64]:
    """IoU of every pair of tubes, (D, N)."""
    pairs = [[tube_iou(guess.tube, goal.tube) for goal in goals] for guess in guesses]
    return np.array(pairs, np.float64).reshape(len(guesses), len(goals))


def _areas(tube: Tube) -> list[float | None]:
    from pycocotools import mask as coco

    return [None if rle is None else float(coco.area(rle)) for rle in tube]


def _mean_area(areas: Sequence[float | None]) -> float:
    """Mean over the frames where the track covers anything; 0 if there is none."""
    covered = [area for area in areas if area]
    return float(np.mean(covered)) if covered else 0.0
