"""Class maps: mIoU and its kin over all names."""

from collections.abc import Sequence

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.semantic import SemanticIoU
from vlseg_cli.evaluation.scorers.base import Result, percent
from vlseg_cli.evaluation.truth import predicted_classes, true_classes
from vlseg_cli.schema import Categories, Prediction, Sample


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
