"""Prompts of category names: panoptic quality, mIoU, and average precision of instances.

Each image is also scored alone, for the report's best and worst cases.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from vlseg_cli.evaluation.metrics.average_precision import AveragePrecision, Detection, TrueInstance
from vlseg_cli.evaluation.metrics.cityscapes import CityscapesAP, ScoredMask
from vlseg_cli.evaluation.metrics.panoptic_quality import PanopticQuality
from vlseg_cli.evaluation.metrics.semantic import SemanticIoU
from vlseg_cli.evaluation.scorers.base import QueryScorer, Result, percent
from vlseg_cli.evaluation.truth import (
    predicted_classes,
    predicted_panoptic,
    true_classes,
    true_panoptic,
)
from vlseg_cli.schema import Categories, Prediction, Query, decode_rle, encode_rle


class _CategoryScorer(QueryScorer):
    """Scores by category name: each image alone first, for its own score."""

    def __init__(self, categories: Categories) -> None:
        super().__init__()
        self._names = categories.names
        self._things = [n for n in range(len(self._names)) if categories.is_thing(n)]
        self.meter = self._new()

    @abstractmethod
    def _new(self) -> Any:
        """A meter of ``metrics``."""

    def _merged(self, *image: Any) -> Any:
        """The result of one image, whose truth and prediction join the others."""
        meter = self._new()
        meter.add(*image)
        self.meter.merge(meter)
        return meter.result()

    def _result(
        self, measure: str, measures: Mapping[str, float | None], by: Iterable[float | None]
    ) -> Result:
        """Fractions to percents. by: of each name, None for names that never occur."""
        named = zip(self._names, by, strict=True)
        group = {name: percent(value) for name, value in named if value is not None}
        shown = {name: percent(value) for name, value in measures.items()}
        return Result(shown, self.n, {f"{measure} by category": group})


class PanopticScorer(_CategoryScorer):
    """PQ, SQ and RQ, and PQ by category."""

    measure = "PQ"

    def count(self, query: Query, prediction: Prediction) -> float:
        """See ``QueryScorer``."""
        quality = self._merged(*true_panoptic(query), *predicted_panoptic(prediction)).all
        return quality.pq if quality else 0.0

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self.meter.result()
        measures = {
            f"{name}{ending}": getattr(mean, name.lower(), None)
            for ending, mean in (("", found.all), ("_th", found.things), ("_st", found.stuff))
            for name in ("PQ", "SQ", "RQ")
        }
        qualities = (count.quality for _, count in sorted(found.categories.items()))
        return self._result("PQ", measures, (one and one[0] for one in qualities))

    def _new(self) -> PanopticQuality:
        return PanopticQuality(range(len(self._names)), self._things)


class SemanticScorer(_CategoryScorer):
    """mIoU, frequency-weighted IoU, mean and pixel accuracy, and IoU by category."""

    measure = "mIoU"

    def count(self, query: Query, prediction: Prediction) -> float:
        """See ``QueryScorer``."""
        return self._merged(predicted_classes(prediction), true_classes(query)).miou or 0.0

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self.meter.result()
        measures = {
            "mIoU": found.miou,
            "fwIoU": found.frequency_weighted_iou,
            "mACC": found.mean_accuracy,
            "pACC": found.pixel_accuracy,
        }
        # A class that never truly occurs has NaN.
        return self._result("IoU", measures, (one if one == one else None for one in found.iou))

    def _new(self) -> SemanticIoU:
        return SemanticIoU(len(self._names), unpredicted_is_wrong=True)


class InstanceScorer(_CategoryScorer):
    """The twelve COCO numbers over masks, and AP by category."""

    measure = "AP"

    def count(self, query: Query, prediction: Prediction) -> float | None:
        """See ``QueryScorer``; an image's own AP is over the categories that it truly has."""
        truths, found = true_instances(query), detections(prediction)
        self.meter.add(prediction.source, truths, found)
        if not truths:  # counted, but not a case
            self.n += 1
            return None
        image = AveragePrecision({truth.category for truth in truths})
        image.add(prediction.source, truths, found)
        return image.result().stats["AP"] or 0.0

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self.meter.result()
        return self._result("AP", found.stats, found.per_category.values())

    def _new(self) -> AveragePrecision:
        return AveragePrecision(range(len(self._names)))


class CityscapesScorer(_CategoryScorer):
    """Cityscapes' AP. labels: the label id of each name."""

    measure = "AP"

    _STUFF, _PER_LABEL = 7, 1000  # any label that is neither void nor a thing's

    def __init__(self, categories: Categories, labels: Sequence[int]) -> None:
        self._labels = labels
        super().__init__(categories)

    def count(self, query: Query, prediction: Prediction) -> float:
        """See ``QueryScorer``."""
        found = [
            ScoredMask(self._labels[one.category_id], decode_rle(one.rle), one.score)
            for one in prediction.segments
            if one.category_id is not None
        ]
        return self._merged(self._truth(query), found).ap or 0.0

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self.meter.result()
        by = (found.labels.get(label) for label in self._labels)
        return self._result("AP", {"AP": found.ap, "AP50": found.ap50}, by)

    def _new(self) -> CityscapesAP:
        return CityscapesAP()

    def _truth(self, query: Query) -> np.ndarray:
        """The map of ids (H, W) as Cityscapes has it: void 0, groups their label alone."""
        assert query.ignore is not None and query.crowd is not None
        ids = np.where(query.ignore, 0, self._STUFF)
        for number, (mask, name, crowd) in enumerate(
            zip(query.masks, query.labels, query.crowd, strict=True)
        ):
            label = self._labels[name]
            ids[mask] = label if crowd else label * self._PER_LABEL + number
        return ids


def true_instances(query: Query) -> list[TrueInstance]:
    """The true masks with the areas that the annotations state."""
    crowd = np.zeros(len(query.masks), bool) if query.crowd is None else query.crowd
    areas = query.masks.sum((1, 2)) if query.areas is None else query.areas
    return [
        TrueInstance(int(label), encode_rle(mask), float(area), bool(is_crowd))
        for mask, label, area, is_crowd in zip(query.masks, query.labels, areas, crowd, strict=True)
    ]


def detections(prediction: Prediction) -> list[Detection]:
    """The answered masks with their scores."""
    return [
        Detection(one.category_id, one.rle, one.score)
        for one in prediction.segments
        if one.category_id is not None
    ]
