"""Prompts of category names: panoptic quality, mIoU, and average precision of instances.

Each image is also scored alone, for the report's best and worst cases.
"""

from collections.abc import Sequence

import numpy as np

from vlseg_cli.evaluation.metrics.average_precision import AveragePrecision, Detection, TrueInstance
from vlseg_cli.evaluation.metrics.cityscapes import CityscapesAP, ScoredMask
from vlseg_cli.evaluation.metrics.panoptic_quality import MeanQuality, PanopticQuality
from vlseg_cli.evaluation.metrics.semantic import SemanticIoU
from vlseg_cli.evaluation.scorers.base import QueryScorer, Result, percent
from vlseg_cli.evaluation.truth import (
    predicted_classes,
    predicted_panoptic,
    true_classes,
    true_panoptic,
)
from vlseg_cli.schema import Categories, Prediction, Query, decode_rle, encode_rle


class PanopticScorer(QueryScorer):
    """PQ, SQ and RQ, and PQ by category."""

    measure = "PQ"

    def __init__(self, categories: Categories) -> None:
        super().__init__()
        self._names = categories.names
        self._things = [n for n in range(len(self._names)) if categories.is_thing(n)]
        self.meter = self._new()

    def count(self, query: Query, prediction: Prediction) -> float:
        """See ``QueryScorer``."""
        image = self._new()
        image.add(*true_panoptic(query), *predicted_panoptic(prediction))
        self.meter.merge(image)
        quality = image.result().all
        return quality.pq if quality else 0.0

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self.meter.result()
        measures: dict[str, float | None] = {}
        for ending, mean in (("", found.all), ("_th", found.things), ("_st", found.stuff)):
            measures |= {f"{name}{ending}": value for name, value in _qualities(mean).items()}
        by_name = {
            self._names[category]: percent(count.quality[0])
            for category, count in found.categories.items()
            if count.quality is not None
        }
        return Result(measures, self.n, {"PQ by category": by_name})

    def _new(self) -> PanopticQuality:
        return PanopticQuality(range(len(self._names)), self._things)


def _qualities(mean: MeanQuality | None) -> dict[str, float | None]:
    return {
        "PQ": percent(mean.pq if mean else None),
        "SQ": percent(mean.sq if mean else None),
        "RQ": percent(mean.rq if mean else None),
    }


class SemanticScorer(QueryScorer):
    """mIoU, frequency-weighted IoU, mean and pixel accuracy, and IoU by category."""

    measure = "mIoU"

    def __init__(self, categories: Categories) -> None:
        super().__init__()
        self._names = categories.names
        self.meter = self._new()

    def count(self, query: Query, prediction: Prediction) -> float:
        """See ``QueryScorer``."""
        image = self._new()
        image.add(predicted_classes(prediction), true_classes(query))
        self.meter.merge(image)
        return image.result().miou or 0.0

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self.meter.result()
        measures = {
            "mIoU": percent(found.miou),
            "fwIoU": percent(found.frequency_weighted_iou),
            "mACC": percent(found.mean_accuracy),
            "pACC": percent(found.pixel_accuracy),
        }
        by_name = {
            name: percent(float(iou))
            for name, iou in zip(self._names, found.iou, strict=True)
            if iou == iou  # a class that never truly occurs has none
        }
        return Result(measures, self.n, {"IoU by category": by_name})

    def _new(self) -> SemanticIoU:
        return SemanticIoU(len(self._names), unpredicted_is_wrong=True)


class InstanceScorer(QueryScorer):
    """The twelve COCO numbers over masks, and AP by category."""

    measure = "AP"

    def __init__(self, categories: Categories) -> None:
        super().__init__()
        self._names = categories.names
        self._meter, self._n = AveragePrecision(range(len(self._names))), 0

    def count(self, query: Query, prediction: Prediction) -> float | None:
        """See ``QueryScorer``; an image's own AP is over the categories that it truly has."""
        truths, found = true_instances(query), detections(prediction)
        self._meter.add(prediction.source, truths, found)
        self._n += 1
        if not truths:
            return None
        image = AveragePrecision({truth.category for truth in truths})
        image.add(prediction.source, truths, found)
        return image.result().stats["AP"] or 0.0

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self._meter.result()
        by_name = {
            self._names[category]: percent(ap)
            for category, ap in found.per_category.items()
            if ap is not None
        }
        measures = {name: percent(value) for name, value in found.stats.items()}
        return Result(measures, self._n, {"AP by category": by_name})


class CityscapesScorer(QueryScorer):
    """Cityscapes' AP. labels: the label id of each name."""

    measure = "AP"

    _STUFF, _PER_LABEL = 7, 1000  # any label that is neither void nor a thing's

    def __init__(self, categories: Categories, labels: Sequence[int]) -> None:
        super().__init__()
        self._labels, self.names = labels, categories.names
        self._meter = CityscapesAP()

    def count(self, query: Query, prediction: Prediction) -> float:
        """See ``QueryScorer``."""
        image = CityscapesAP()
        found = [
            ScoredMask(self._labels[one.category_id], decode_rle(one.rle), one.score)
            for one in prediction.segments
            if one.category_id is not None
        ]
        image.add(self._truth(query), found)
        self._meter.merge(image)
        return image.result().ap or 0.0

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self._meter.result()
        by_name = {
            self.names[self._labels.index(label)]: percent(ap)
            for label, ap in found.labels.items()
            if ap is not None
        }
        measures = {"AP": percent(found.ap), "AP50": percent(found.ap50)}
        return Result(measures, self.n, {"AP by category": by_name})

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
