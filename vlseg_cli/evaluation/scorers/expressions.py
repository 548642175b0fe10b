"""Expressions and questions: masks, boxes (REC), gRefCOCO's no-target; and region prompts."""

from collections.abc import Sequence
from typing import Literal

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.rec import BoxAccuracy
from vlseg_cli.evaluation.metrics.refer import GeneralizedMaskIoU, MaskIoU
from vlseg_cli.evaluation.scorers.base import QueryScorer, Result, percent
from vlseg_cli.evaluation.truth import predicted_box, predicted_mask, predicted_union, true_union
from vlseg_cli.schema import Prediction, Query, Sample


class ExpressionScorer(QueryScorer):
    """cIoU, gIoU and precision over all sentences, and gIoU of each kind of them.

    headline: the measure that the tables print first. union_epsilon: see ``MaskIoU``.
    """

    def __init__(
        self, headline: Literal["cIoU", "gIoU"] = "cIoU", union_epsilon: float = 1e-5
    ) -> None:
        super().__init__()
        self._headline, self._epsilon = headline, union_epsilon
        self._kinds: dict[str, MaskIoU] = {}

    def count(self, query: Query, prediction: Prediction) -> float:
        """See ``QueryScorer``: a query without a true mask has an empty target."""
        meter = self._kinds.setdefault(query.kind, MaskIoU(self._epsilon))
        return meter.add(predicted_union(prediction), true_union(query), query.ignore).iou

    def result(self) -> Result:
        """See ``Scorer``."""
        whole = MaskIoU(self._epsilon)
        for meter in self._kinds.values():
            whole.merge(meter)
        total = whole.result()
        means = {"cIoU": percent(total.ciou), "gIoU": percent(total.giou)}
        first: dict[str, float | None] = {self._headline: means[self._headline]}
        at = {f"P@{threshold}": percent(share) for threshold, share in total.precision.items()}
        by_kind = {kind: percent(one.result().giou) for kind, one in sorted(self._kinds.items())}
        return Result({**first, **means, **at}, total.n, {"gIoU by kind": by_kind})


class BoxScorer(QueryScorer):
    """accuracy@0.5 of the first box. generalized: MDETR's stricter overlap."""

    def __init__(self, generalized: bool = False) -> None:
        super().__init__()
        self._meter = BoxAccuracy(generalized=generalized)

    def count(self, query: Query, prediction: Prediction) -> float:
        """See ``QueryScorer``."""
        assert query.boxes is not None
        x, y, width, height = query.boxes[0].tolist()
        return max(0.0, self._meter.add(predicted_box(prediction), (x, y, width, height)))

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self._meter.result()
        return Result({"accuracy@0.5": percent(found.accuracy)}, found.n)


class GeneralizedScorer(QueryScorer):
    """gRefCOCO: cIoU and gIoU, and accuracies of no-target (N-acc) and target (T-acc).

    An empty mask predicts no target. gRefCOCO's own evaluator, which takes a flag beside the mask,
    counts it the same.
    """

    def __init__(self) -> None:
        super().__init__()
        self._masks, self._flags = MaskIoU(), GeneralizedMaskIoU()

    def count(self, query: Query, prediction: Prediction) -> float:
        """See ``QueryScorer``."""
        mask, truth = predicted_union(prediction), true_union(query)
        self._flags.add(mask, truth, not mask.any(), not len(query.masks))
        return self._masks.add(mask, truth, query.ignore).iou

    def result(self) -> Result:
        """See ``Scorer``."""
        masks, flags = self._masks.result(), self._flags.result()
        measures = {
            "cIoU": percent(masks.ciou),
            "gIoU": percent(masks.giou),
            "N-acc": percent(flags.n_accuracy),
            "T-acc": percent(flags.t_accuracy),
        }
        return Result(measures, masks.n)


class RegionScorer:
    """mIoU and cIoU over all regions (COCO-Interactive)."""

    def __init__(self) -> None:
        self._meter = MaskIoU()

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Scorer``."""
        cases = []
        for query, prediction in zip(sample.queries, predictions, strict=True):
            for position, truth in enumerate(query.masks):
                mask = predicted_mask(prediction, position)
                score = self._meter.add(mask, truth, query.ignore)
                cases.append(Case(sample.frame, query, prediction, "IoU", score.iou, position))
        return cases

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self._meter.result()
        return Result({"mIoU": percent(found.giou), "cIoU": percent(found.ciou)}, found.n)
