"""Scores of a prompt of names: panoptic quality, semantic mIoU and box AP over one vocabulary."""

from collections.abc import Sequence

from vlseg_cli.evaluation.metrics.average_precision import AveragePrecision
from vlseg_cli.evaluation.metrics.panoptic_quality import PanopticQuality
from vlseg_cli.evaluation.metrics.semantic import SemanticIoU
from vlseg_cli.evaluation.truth import (
    predicted_boxes,
    predicted_classes,
    predicted_panoptic,
    true_boxes,
    true_classes,
    true_panoptic,
)
from vlseg_cli.schema import Prediction, Query, Task


class NameScores:
    """Gathers answers over pictures; every query must ask all ``names`` in the same order.

    things: indices of the countable names; only their boxes are scored.
    """

    def __init__(self, names: int, things: Sequence[int]) -> None:
        self._names = names
        self._things = things
        self._panoptic = self._new_panoptic()
        self._semantic = self._new_semantic()
        self._boxes = AveragePrecision(things)
        self._boxed = 0

    def add(self, query: Query, prediction: Prediction) -> tuple[str, float]:
        """Count one answer; returns what this picture alone scores: the measure and its value."""
        if query.task is Task.PANOPTIC:
            return "PQ", self._add_panoptic(query, prediction)
        if query.task is Task.SEMANTIC:
            return "mIoU", self._add_semantic(query, prediction)
        return "AP", self._add_boxes(query, prediction)

    def summary(self) -> dict[str, dict[str, float | None]]:
        """Scores in [0, 1] under ``panoptic``, ``semantic`` and ``detect``; None if never asked."""
        quality = self._panoptic.result().all
        boxes = self._boxes.result().stats
        return {
            "panoptic": {
                "PQ": quality.pq if quality else None,
                "SQ": quality.sq if quality else None,
                "RQ": quality.rq if quality else None,
            },
            "semantic": {"mIoU": self._semantic.result().miou},
            "detect": {"AP": boxes["AP"], "AP50": boxes["AP50"]},
        }

    def _add_panoptic(self, query: Query, prediction: Prediction) -> float:
        picture = self._new_panoptic()
        picture.add(*true_panoptic(query), *predicted_panoptic(prediction))
        self._panoptic.merge(picture)
        quality = picture.result().all
        return quality.pq if quality else 0.0

    def _add_semantic(self, query: Query, prediction: Prediction) -> float:
        picture = self._new_semantic()
        picture.add(predicted_classes(prediction), true_classes(query))
        self._semantic.merge(picture)
        return picture.result().miou or 0.0

    def _add_boxes(self, query: Query, prediction: Prediction) -> float:
        self._boxed += 1
        picture = AveragePrecision(self._things)
        picture.add(self._boxed, true_boxes(query), predicted_boxes(prediction))
        self._boxes.merge(picture)
        return picture.result().stats["AP"] or 0.0

    def _new_panoptic(self) -> PanopticQuality:
        return PanopticQuality(range(self._names))

    def _new_semantic(self) -> SemanticIoU:
        return SemanticIoU(self._names, unanswered_is_wrong=True)
