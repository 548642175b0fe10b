"""Masks for sentences that may mean several things, or nothing: gRefCOCO."""

from collections.abc import Sequence

from vlseg_cli.evaluation.answers import answered_union, true_union
from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.grefer import GeneralizedMaskIoU
from vlseg_cli.evaluation.metrics.refer import MaskIoU
from vlseg_cli.evaluation.scores.score import Result, percent
from vlseg_cli.schema import Prediction, Sample


class GeneralisedScore:
    """cIoU and gIoU as for other sentences, and how well it is known that nothing is meant.

    An empty answer says so. gRefCOCO's own evaluator, which takes a flag beside the mask, counts
    such answers just alike.
    """

    def __init__(self) -> None:
        self._masks, self._flags = MaskIoU(), GeneralizedMaskIoU()

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Score``."""
        cases = []
        for query, prediction in zip(sample.queries, predictions, strict=True):
            answer, truth = answered_union(prediction), true_union(query)
            iou = self._masks.add(answer, truth, query.ignore).iou
            self._flags.add(answer, truth, not answer.any(), not len(query.masks))
            cases.append(Case(sample.frame, query, prediction, "IoU", iou))
        return cases

    def result(self) -> Result:
        """See ``Score``."""
        masks, flags = self._masks.result(), self._flags.result()
        measures = {
            "cIoU": percent(masks.ciou),
            "gIoU": percent(masks.giou),
            "N-acc": percent(flags.n_accuracy),
            "T-acc": percent(flags.t_accuracy),
        }
        return Result(measures, masks.n)
