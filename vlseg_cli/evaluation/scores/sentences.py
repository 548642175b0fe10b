"""Masks for sentences: referring and reasoning, one answer each."""

from collections.abc import Sequence
from typing import Literal

from vlseg_cli.evaluation.answers import answered_union, true_union
from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.refer import MaskIoU
from vlseg_cli.evaluation.scores.score import Result, percent
from vlseg_cli.schema import Prediction, Sample


class SentenceScore:
    """cIoU, gIoU and precision over all sentences, and gIoU of each kind of them.

    headline: the measure that the tables print first. union_epsilon: see ``MaskIoU``.
    """

    def __init__(
        self, headline: Literal["cIoU", "gIoU"] = "cIoU", union_epsilon: float = 1e-5
    ) -> None:
        self._headline, self._epsilon = headline, union_epsilon
        self._kinds: dict[str, MaskIoU] = {}

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Score``: a query without a true mask asks for an empty answer."""
        cases = []
        for query, prediction in zip(sample.queries, predictions, strict=True):
            meter = self._kinds.setdefault(query.kind, MaskIoU(self._epsilon))
            score = meter.add(answered_union(prediction), true_union(query), query.ignore)
            cases.append(Case(sample.frame, query, prediction, "IoU", score.iou))
        return cases

    def result(self) -> Result:
        """See ``Score``."""
        whole = MaskIoU(self._epsilon)
        for meter in self._kinds.values():
            whole.merge(meter)
        total = whole.result()
        means = {"cIoU": percent(total.ciou), "gIoU": percent(total.giou)}
        first: dict[str, float | None] = {self._headline: means[self._headline]}
        at = {f"P@{threshold}": percent(share) for threshold, share in total.precision.items()}
        by_kind = {kind: percent(one.result().giou) for kind, one in sorted(self._kinds.items())}
        return Result({**first, **means, **at}, total.n, {"gIoU by kind": by_kind})
