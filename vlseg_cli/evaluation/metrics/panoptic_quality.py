"""Panoptic quality (Kirillov et al. 2019) with void and crowd counted as panopticapi counts them.

A meter takes one image at a time as id maps and segment lists (``panopticapi/evaluation.py``,
``pq_compute_single_core``), so it needs no files and does not grow with the number of images.
"""

from collections.abc import Collection, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.exact import ExactSum
from vlseg_cli.schema import InputError

VOID = 0


@dataclass(frozen=True, slots=True)
class PanopticSegment:
    """One entry of a panoptic annotation.

    id: its value in the id map, never 0. area: px as the annotation states it (a truth's stated
    area outranks its map); None counts the map. is_crowd: a group that is not to be matched.
    """

    id: int
    category: int
    area: int | None = None
    is_crowd: bool = False


@dataclass(slots=True)
class CategoryCount:
    """The counts of one category; ``ious`` are those of its true positives."""

    ious: ExactSum = field(default_factory=ExactSum)
    fp: int = 0
    fn: int = 0

    @property
    def tp(self) -> int:
        """Matched pairs."""
        return self.ious.count

    @property
    def iou(self) -> float:
        """Sum of the IoU of the matched pairs."""
        return self.ious.total

    @property
    def quality(self) -> tuple[float, float, float] | None:
        """PQ, SQ, RQ in [0, 1]; None for a category neither true nor predicted."""
        weight = self.tp + 0.5 * self.fp + 0.5 * self.fn
        if not weight:
            return None
        return self.iou / weight, self.iou / self.tp if self.tp else 0.0, self.tp / weight


@dataclass(frozen=True, slots=True)
class MeanQuality:
    """Means over ``n`` categories, in [0, 1]. The three are averaged apart: PQ is not SQ · RQ."""

    pq: float
    sq: float
    rq: float
    n: int


@dataclass(frozen=True, slots=True)
class PanopticResult:
    """Means over all categories, the countable and the others; None where none occurred.

    categories: the counts of each, by category id.
    """

    all: MeanQuality | None
    things: MeanQuality | None
    stuff: MeanQuality | None
    categories: dict[int, CategoryCount]


class PanopticQuality:
    """Gathers matches per category over images.

    categories: the ids to be scored, any ints. things: those of them that are countable.
    """

    def __init__(self, categories: Iterable[int], things: Collection[int] = ()) -> None:
        self._counts = {category: CategoryCount() for category in categories}
        self._things = frozenset(things)

    def add(
        self,
        truth: NDArray[np.integer],
        truth_segments: Sequence[PanopticSegment],
        prediction: NDArray[np.integer],
        predicted_segments: Sequence[PanopticSegment],
    ) -> None:
        """Count one image: (H, W) id maps, 0 = void, and the segments of the ids.

        Raises InputError if the sizes differ, a predicted id is on one side only, or a category
        is unknown.
        """
        if truth.shape != prediction.shape:
            raise InputError(
                f"A predicted panoptic map is {prediction.shape}, its truth {truth.shape}: "
                "both must have the image's own size."
            )
        areas = _areas(prediction)
        self._check(areas, truth_segments, predicted_segments)
        overlaps = _overlaps(truth, prediction)
        matched_true, matched_predicted = self._match(
            overlaps,
            {segment.id: segment for segment in truth_segments},
            _areas(truth),
            {segment.id: segment for segment in predicted_segments},
            areas,
        )
        for segment in truth_segments:
            if segment.id not in matched_true and not segment.is_crowd:
                self._counts[segment.category].fn += 1
        # Only the last listed crowd of a category excuses a prediction, as in panopticapi.
        crowds = {segment.category: segment.id for segment in truth_segments if segment.is_crowd}
        for segment in predicted_segments:
            if segment.id in matched_predicted:
                continue
            excused = overlaps.get((VOID, segment.id), 0)
            if segment.category in crowds:
                excused += overlaps.get((crowds[segment.category], segment.id), 0)
            if excused / areas[segment.id] <= 0.5:
                self._counts[segment.category].fp += 1

    def merge(self, other: "PanopticQuality") -> None:
        """Take over all counts of another meter of the same categories."""
        for category, count in other._counts.items():
            mine = self._counts[category]
            mine.ious.merge(count.ious)
            mine.fp += count.fp
            mine.fn += count.fn

    def result(self) -> PanopticResult:
        """The qualities over everything that was added."""
        return PanopticResult(
            all=self._mean(self._counts),
            things=self._mean(self._counts.keys() & self._things),
            stuff=self._mean(self._counts.keys() - self._things),
            categories=deepcopy(self._counts),
        )

    def _mean(self, categories: Iterable[int]) -> MeanQuality | None:
        """Mean over those of the categories that occurred; None if none did."""
        values = [self._counts[category].quality for category in sorted(categories)]
        rows = [value for value in values if value is not None]
        if not rows:
            return None
        pq, sq, rq = (float(mean) for mean in np.mean(np.array(rows), axis=0))
        return MeanQuality(pq, sq, rq, len(rows))

    def _match(
        self,
        overlaps: dict[tuple[int, int], int],
        true: dict[int, PanopticSegment],
        true_areas: dict[int, int],
        predicted: dict[int, PanopticSegment],
        predicted_areas: dict[int, int],
    ) -> tuple[set[int], set[int]]:
        """Find pairs of one category with IoU > 0.5, void left out of the union."""
        matched_true: set[int] = set()
        matched_predicted: set[int] = set()
        for (true_id, predicted_id), both in overlaps.items():
            if true_id not in true or predicted_id not in predicted:
                continue
            goal, guess = true[true_id], predicted[predicted_id]
            if goal.is_crowd or goal.category != guess.category:
                continue
            area = true_areas[true_id] if goal.area is None else goal.area
            void = overlaps.get((VOID, predicted_id), 0)
            iou = both / (predicted_areas[predicted_id] + area - both - void)
            if iou > 0.5:
                self._counts[goal.category].ious.add(iou)
                matched_true.add(true_id)
                matched_predicted.add(predicted_id)
        return matched_true, matched_predicted

    def _check(
        self,
        areas: dict[int, int],
        truth_segments: Sequence[PanopticSegment],
        predicted_segments: Sequence[PanopticSegment],
    ) -> None:
        listed = {segment.id for segment in predicted_segments}
        if astray := listed ^ (areas.keys() - {VOID}):
            raise InputError(
                f"Predicted panoptic ids {sorted(astray)} are in the map or in the list of "
                "segments but not in both."
            )
        for segment in (*truth_segments, *predicted_segments):
            if segment.category not in self._counts:
                raise InputError(
                    f"Panoptic segment {segment.id} has category {segment.category}, "
                    "which is not among the categories to be scored."
                )


def _areas(ids: NDArray[np.integer]) -> dict[int, int]:
    """Pixels of each id in a (H, W) map."""
    values, counts = np.unique(ids, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def _overlaps(
    truth: NDArray[np.integer], prediction: NDArray[np.integer]
) -> dict[tuple[int, int], int]:
    """Common pixels of each pair (true id, predicted id) of two (H, W) maps."""
    side = int(prediction.max()) + 1
    values, counts = np.unique(truth.astype(np.int64) * side + prediction, return_counts=True)
    pairs = zip(*(part.tolist() for part in np.divmod(values, side)), strict=True)
    return dict(zip(pairs, counts.tolist(), strict=True))
