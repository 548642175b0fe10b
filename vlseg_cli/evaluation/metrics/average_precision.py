"""COCO average precision of boxes or masks, one picture at a time.

The numbers are those of ``pycocotools/cocoeval.py``: AP averages the precision at 101 recalls over
the IoU thresholds .50:.05:.95, with at most 100 detections of a category in a picture.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.match_table import (
    AveragePrecisionResult,
    MatchCandidate,
    MatchTable,
    MatchTarget,
)
from vlseg_cli.schema import RLE

LIMITS = (32.0**2, 96.0**2)  # px² between small, medium and large

Shape = RLE | tuple[float, float, float, float]  # a mask, or a box x, y, w, h in px


@dataclass(frozen=True, slots=True)
class TrueInstance:
    """area: px as the annotation states it. is_crowd: a group that any number may match."""

    category: int
    shape: Shape
    area: float
    is_crowd: bool = False


@dataclass(frozen=True, slots=True)
class Detection:
    """score: the higher the surer, of any range."""

    category: int
    shape: Shape
    score: float


class AveragePrecision:
    """AP and AR over pictures, of masks or of boxes: all shapes are of one kind.

    categories: the ids to be scored; other instances are left out.
    """

    def __init__(self, categories: Iterable[int]) -> None:
        self._table = MatchTable(categories, LIMITS)

    def add(
        self,
        picture: int | str,
        truths: Sequence[TrueInstance],
        detections: Sequence[Detection],
    ) -> None:
        """Count one picture. Raises InputError if it was counted before."""
        self._table.open(picture)
        for category in self._table.categories:
            goals = [one for one in truths if one.category == category]
            guesses = [one for one in detections if one.category == category]
            if goals or guesses:
                self._table.add(
                    picture,
                    category,
                    [MatchTarget(one.area, one.is_crowd) for one in goals],
                    [MatchCandidate(_area(one.shape), one.score) for one in guesses],
                    _overlaps(guesses, goals),
                )

    def merge(self, other: "AveragePrecision") -> None:
        """Take over all pictures of another meter. Raises InputError if they share one."""
        self._table.merge(other._table)

    def result(self) -> AveragePrecisionResult:
        """The numbers over everything that came."""
        return self._table.result()


def _overlaps(guesses: Sequence[Detection], goals: Sequence[TrueInstance]) -> NDArray[np.float64]:
    """IoU of every pair, (D, N); with a group, the share of the detection that lies in it."""
    from pycocotools import mask as coco

    shapes = [[_plain(one.shape) for one in instances] for instances in (guesses, goals)]
    ious = coco.iou(*shapes, [one.is_crowd for one in goals])
    return np.reshape(ious, (len(guesses), len(goals)))


def _plain(shape: Shape) -> RLE | list[float]:
    """pycocotools takes a tuple for no box at all."""
    return list(shape) if isinstance(shape, tuple) else shape


def _area(shape: Shape) -> float:
    """Pixels of a mask, width times height of a box."""
    from pycocotools import mask as coco

    return shape[2] * shape[3] if isinstance(shape, tuple) else float(coco.area(shape))
