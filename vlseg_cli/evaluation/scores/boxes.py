"""Boxes for sentences: the share that overlaps the true box by half."""

from collections.abc import Sequence

from vlseg_cli.evaluation.answers import answered_box
from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.rec import BoxAccuracy
from vlseg_cli.evaluation.scores.score import Result, percent
from vlseg_cli.schema import Prediction, Sample


class BoxScore:
    """accuracy@0.5 of the first box. generalised: MDETR's stricter overlap."""

    def __init__(self, generalised: bool = False) -> None:
        self._meter = BoxAccuracy(generalised=generalised)

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Score``."""
        cases = []
        for query, prediction in zip(sample.queries, predictions, strict=True):
            assert query.boxes is not None
            x, y, width, height = query.boxes[0].tolist()
            overlap = self._meter.add(answered_box(prediction), (x, y, width, height))
            cases.append(Case(sample.frame, query, prediction, "IoU", max(0.0, overlap)))
        return cases

    def result(self) -> Result:
        """See ``Score``."""
        found = self._meter.result()
        return Result({"accuracy@0.5": percent(found.accuracy)}, found.n)
