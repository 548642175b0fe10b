"""Panoptic maps: PQ over all names, things and stuff apart."""

from collections.abc import Sequence

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.panoptic_quality import MeanQuality, PanopticQuality
from vlseg_cli.evaluation.scorers.base import Result, percent
from vlseg_cli.evaluation.truth import predicted_panoptic, true_panoptic
from vlseg_cli.schema import Categories, Prediction, Sample


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
