"""Scores of a prompt of names: panoptic quality, semantic mIoU and box AP over one vocabulary."""

from collections.abc import Sequence
from typing import Any

from vlseg_cli.evaluation.answers import (
    answered_boxes,
    answered_classes,
    answered_panoptic,
    true_boxes,
    true_classes,
    true_panoptic,
)
from vlseg_cli.evaluation.average_precision import average_precision
from vlseg_cli.evaluation.panoptic_quality import PanopticMeter
from vlseg_cli.evaluation.semantic import SemanticMeter
from vlseg_cli.schema import Prediction, Query, Task


class NameScores:
    """Gathers answers over pictures; every query must ask all ``names`` in the same order.

    things: indices of the countable names; only their boxes are scored.
    """

    def __init__(self, names: int, things: Sequence[int]) -> None:
        self._things = set(things)
        self._panoptic = PanopticMeter(range(names))
        self._semantic = SemanticMeter(names)
        self._boxes: dict[str, list[dict[str, Any]]] = {
            "images": [],
            "categories": [{"id": index} for index in things],
            "annotations": [],
        }
        self._detections: list[dict[str, Any]] = []

    def add(self, query: Query, prediction: Prediction) -> tuple[str, float]:
        """Count one answer; returns what this picture alone scores: the measure and its value."""
        if query.task is Task.PANOPTIC:
            return "PQ", self._add_panoptic(query, prediction)
        if query.task is Task.SEMANTIC:
            return "mIoU", self._add_semantic(query, prediction)
        return "AP", self._add_boxes(query, prediction)

    def summary(self) -> dict[str, dict[str, float | None]]:
        """Scores in [0, 1] under ``panoptic``, ``semantic`` and ``detect``; None if never asked."""
        quality = self._panoptic.quality()
        boxes = average_precision(self._boxes, self._detections).stats
        return {
            "panoptic": {
                "PQ": quality.pq if quality else None,
                "SQ": quality.sq if quality else None,
                "RQ": quality.rq if quality else None,
            },
            "semantic": {"mIoU": self._semantic.miou},
            "detect": {"AP": boxes["AP"], "AP50": boxes["AP50"]},
        }

    def _add_panoptic(self, query: Query, prediction: Prediction) -> float:
        picture = PanopticMeter(self._panoptic.counts)
        picture.add(*true_panoptic(query), *answered_panoptic(prediction))
        self._panoptic.merge(picture)
        quality = picture.quality()
        return quality.pq if quality else 0.0

    def _add_semantic(self, query: Query, prediction: Prediction) -> float:
        picture = SemanticMeter(self._semantic.classes)
        picture.add(answered_classes(prediction), true_classes(query))
        self._semantic.merge(picture)
        return picture.miou or 0.0

    def _add_boxes(self, query: Query, prediction: Prediction) -> float:
        number = len(self._boxes["images"])
        image = {"id": number, "height": prediction.height, "width": prediction.width}
        # The evaluator takes annotation 0 for "nothing matched": ids start at 1.
        annotations = true_boxes(query, number, len(self._boxes["annotations"]) + 1)
        found = answered_boxes(prediction, number)
        detections = [box for box in found if box["category_id"] in self._things]
        self._boxes["images"].append(image)
        self._boxes["annotations"] += annotations
        self._detections += detections
        picture = {**self._boxes, "images": [image], "annotations": annotations}
        return average_precision(picture, detections).stats["AP"] or 0.0
