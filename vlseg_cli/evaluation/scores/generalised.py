"""Masks for sentences that may mean several things, or nothing: gRefCOCO."""

from collections.abc import Sequence

from vlseg_cli.evaluation.answers import answered_union, true_union
from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.grefer import GeneralizedMaskIoU
from vlseg_cli.evaluation.metrics.refer import MaskIoU
from vlseg_cli.evaluation.scores.score import Result, percent
from vlseg_cli.schema import Prediction, Sample


class GeneralisedScore:
    """cIoU and gIoU by LISA's or by gRefCOCO's own counting, and how well nothing is known.

    An empty answer says that nothing is meant. official: gRefCOCO's own counting of both; LISA's,
    which PSALM's line uses, lets such sentences into cIoU like any other.
    """

    def __init__(self, official: bool) -> None:
        self._official = official
        self._own, self._general = MaskIoU(), GeneralizedMaskIoU()

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Score``."""
        cases = []
        for query, prediction in zip(sample.queries, predictions, strict=True):
            answer, truth = answered_union(prediction), true_union(query)
            by_own = self._own.add(answer, truth, query.ignore).iou
            iou = self._general.add(answer, truth, not answer.any(), not len(query.masks))
            score = iou if self._official else by_own
            cases.append(Case(sample.frame, query, prediction, "IoU", score))
        return cases

    def result(self) -> Result:
        """See ``Score``."""
        general, own = self._general.result(), self._own.result()
        chosen = general if self._official else own
        measures = {
            "cIoU": percent(chosen.ciou),
            "gIoU": percent(chosen.giou),
            "N-acc": percent(general.n_accuracy),
            "T-acc": percent(general.t_accuracy),
        }
        return Result(measures, general.n)
