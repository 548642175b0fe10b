"""Masks for places that were pointed at: a sample per region."""

from collections.abc import Sequence

from vlseg_cli.evaluation.answers import answered_mask
from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.interactive import InteractiveIoU
from vlseg_cli.evaluation.scores.score import Result, percent
from vlseg_cli.schema import Prediction, Sample


class RegionScore:
    """mIoU and cIoU over all regions of one kind."""

    def __init__(self, kind: str) -> None:
        self._kind, self._meter = kind, InteractiveIoU()

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Score``."""
        cases = []
        for query, prediction in zip(sample.queries, predictions, strict=True):
            for position, truth in enumerate(query.masks):
                mask = answered_mask(prediction, position)
                score = self._meter.add(self._kind, mask, truth, query.ignore)
                cases.append(Case(sample.frame, query, prediction, "IoU", score.iou, position))
        return cases

    def result(self) -> Result:
        """See ``Score``."""
        found = self._meter.result().get(self._kind)
        if found is None:
            return Result({"mIoU": None, "cIoU": None}, 0)
        return Result({"mIoU": percent(found.miou), "cIoU": percent(found.ciou)}, found.n)
