"""Prompts of category names: panoptic quality, mIoU, and average precision of instances.

Each image is also scored alone, for the report's best and worst cases.
"""

from collections.abc import Sequence

import numpy as np

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.average_precision import AveragePrecision, Detection, TrueInstance
from vlseg_cli.evaluation.metrics.cityscapes import CityscapesAP, ScoredMask
from vlseg_cli.evaluation.metrics.panoptic_quality import MeanQuality, PanopticQuality
from vlseg_cli.evaluation.metrics.semantic import SemanticIoU
from vlseg_cli.evaluation.scorers.base import Result, percent
from vlseg_cli.evaluation.truth import (
    predicted_classes,
    predicted_panoptic,
    true_classes,
    true_panoptic,
)
from vlseg_cli.schema import Categories, Prediction, Query, Sample, decode_rle, encode_rle


class PanopticScorer:
    """PQ, SQ and RQ, and PQ by category."""

    def __init__(self, categories: Categories) -> None:
        self._names = categories.names
        self._things = [n for n in range(len(self._names)) if categories.is_thing(n)]
        self.meter, self._n = self._new(), 0

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Score``."""
        cases = []
        for query, prediction in zip(sample.queries, predictions, strict=True):
            picture = self._new()
            picture.add(*true_panoptic(query), *predicted_panoptic(prediction))
            self.meter.merge(picture)
            self._n += 1
            quality = picture.result().all
            pq = quality.pq if quality else 0.0
            cases.append(Case(sample.frame, query, prediction, "PQ", pq))
        return cases

    def result(self) -> Result:
        """See ``Score``."""
        found = self.meter.result()
        measures: dict[str, float | None] = {}
        for ending, mean in (("", found.all), ("_th", found.things), ("_st", found.stuff)):
            measures |= {f"{name}{ending}": value for name, value in _qualities(mean).items()}
        by_name = {
            self._names[category]: percent(count.quality[0])
            for category, count in found.categories.items()
            if count.quality is not None
        }
        return Result(measures, self._n, {"PQ by category": by_name})

    def _new(self) -> PanopticQuality:
        return PanopticQuality(range(len(self._names)), self._things)


def _qualities(mean: MeanQuality | None) -> dict[str, float | None]:
    return {
        "PQ": percent(mean.pq if mean else None),
        "SQ": percent(mean.sq if mean else None),
        "RQ": percent(mean.rq if mean else None),
    }


class SemanticScorer:
    """mIoU, frequency-weighted IoU, mean and pixel accuracy, and IoU by category."""

    def __init__(self, categories: Categories) -> None:
        self._names = categories.names
        self.meter, self._n = self._new(), 0

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Score``."""
        cases = []
        for query, prediction in zip(sample.queries, predictions, strict=True):
            picture = self._new()
            picture.add(predicted_classes(prediction), true_classes(query))
            self.meter.merge(picture)
            self._n += 1
            miou = picture.result().miou or 0.0
            cases.append(Case(sample.frame, query, prediction, "mIoU", miou))
        return cases

    def result(self) -> Result:
        """See ``Score``."""
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
        return Result(measures, self._n, {"IoU by category": by_name})

    def _new(self) -> SemanticIoU:
        return SemanticIoU(len(self._names), unanswered_is_wrong=True)


class InstanceScorer:
    """The twelve COCO numbers over masks, and AP by category."""

    def __init__(self, categories: Categories) -> None:
        self._names = categories.names
        self._meter, self._n = AveragePrecision(range(len(self._names))), 0

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Score``; a picture's own AP is over the categories that it truly has."""
        cases = []
        for query, prediction in zip(sample.queries, predictions, strict=True):
            truths, found = true_instances(query), detections(prediction)
            self._meter.add(prediction.source, truths, found)
            self._n += 1
            if truths:
                picture = AveragePrecision({truth.category for truth in truths})
                picture.add(prediction.source, truths, found)
                ap = picture.result().stats["AP"] or 0.0
                cases.append(Case(sample.frame, query, prediction, "AP", ap))
        return cases

    def result(self) -> Result:
        """See ``Score``."""
        found = self._meter.result()
        by_name = {
            self._names[category]: percent(ap)
            for category, ap in found.per_category.items()
            if ap is not None
        }
        measures = {name: percent(value) for name, value in found.stats.items()}
        return Result(measures, self._n, {"AP by category": by_name})


class CityscapesScorer:
    """Cityscapes' AP. labels: the label id of each name."""

    _STUFF, _PER_LABEL = 7, 1000  # any label that is neither void nor a thing's

    def __init__(self, categories: Categories, labels: Sequence[int]) -> None:
        self._labels, self._names = labels, categories.names
        self._meter, self._n = CityscapesAP(), 0

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Score``."""
        cases = []
        for query, prediction in zip(sample.queries, predictions, strict=True):
            picture = CityscapesAP()
            found = [
                ScoredMask(self._labels[one.category_id], decode_rle(one.rle), one.score)
                for one in prediction.segments
                if one.category_id is not None
            ]
            picture.add(self._truth(query), found)
            self._meter.merge(picture)
            self._n += 1
            ap = picture.result().ap or 0.0
            cases.append(Case(sample.frame, query, prediction, "AP", ap))
        return cases

    def result(self) -> Result:
        """See ``Score``."""
        found = self._meter.result()
        by_name = {
            self._names[self._labels.index(label)]: percent(ap)
            for label, ap in found.labels.items()
            if ap is not None
        }
        measures = {"AP": percent(found.ap), "AP50": percent(found.ap50)}
        return Result(measures, self._n, {"AP by category": by_name})

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
