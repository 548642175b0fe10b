"""Expressions about videos: J&F per expression, or as Ref-DAVIS17 and ReVOS count them."""

from collections.abc import Iterator, Sequence

import numpy as np

from vlseg_cli.datasets.davis import RUNS
from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.davis import VOID, RefDavis, fuse_objects
from vlseg_cli.evaluation.metrics.video_expressions import (
    ExpressionJF,
    ExpressionType,
    ReVOS,
    ReVOSScore,
)
from vlseg_cli.evaluation.scorers.base import Result, percent
from vlseg_cli.evaluation.scorers.clips import (
    ClipScorer,
    by_query,
    id_map,
    jf_measures,
    predictions_of,
    still,
    union_pairs,
)
from vlseg_cli.evaluation.truth import predicted_union
from vlseg_cli.schema import ClipQuery, ClipSample, Prediction


class VideoExpressionScorer(ClipScorer):
    """J&F, J and F, the mean over expressions; None where the truth is on a server."""

    def __init__(self) -> None:
        self._meter = ExpressionJF()

    def count(
        self, sample: ClipSample, query: ClipQuery, of_query: Sequence[Prediction]
    ) -> Iterator[Case]:
        """See ``ClipScorer``."""
        pairs = union_pairs(sample, query, of_query)
        if pairs is not None:
            yield still(sample, query, of_query, "J&F", sum(self._meter.add(*pairs)) / 2)

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self._meter.result()
        return Result(jf_measures(found.jf, found.j, found.f), found.n)


class RefDavisScorer:
    """Ref-DAVIS17: the objects of an annotator's expressions on one map, mean of four annotators.

    Where two masks overlap, the one with the higher score has the pixel.
    """

    def __init__(self) -> None:
        self._meter, self._n = RefDavis(), 0

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Scorer``."""
        cases = []
        for run, kind in enumerate(RUNS):
            indices = [n for n, query in enumerate(sample.queries) if query.kind == kind]
            queries = [sample.queries[index] for index in indices]
            by_object = [predictions_of(sample, predictions, index) for index in indices]
            if not indices:
                continue
            scores = self._meter.add(
                run,
                sample.source,
                (_true_ids(queries, frame) for frame in range(sample.length)),
                (_fused([one[frame] for one in by_object]) for frame in range(sample.length)),
            )
            self._n += len(indices)
            for query, own, score in zip(queries, by_object, scores, strict=False):
                cases.append(still(sample, query, own, "J&F", score.jf))
        return cases

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self._meter.result()
        measures = jf_measures(found.jf, found.j, found.f)
        by_run = {run: percent(one.jf) for run, one in zip(RUNS, found.runs, strict=True)}
        return Result(measures, self._n, {"J&F by annotation": by_run})


class ReVOSScorer:
    """ReVOS: J, F and J&F of one group of expressions, or of both with accuracy and robustness.

    group: 'referring', 'reasoning' or 'overall', which is the mean of both.
    """

    def __init__(self, group: str) -> None:
        self._group, self._meter, self._n = group, ReVOS(), 0

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Scorer``."""
        cases = []
        areas = [_area(sample, frame) for frame in range(sample.length)]
        for query, of_query in by_query(sample, predictions):
            pairs = union_pairs(sample, query, of_query)
            assert pairs is not None
            score = self._meter.add(ExpressionType[query.kind.upper()], *pairs, areas)
            self._n += 1
            cases.append(still(sample, query, of_query, "J&F", score.jf or 0.0))
        return cases

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self._meter.result()
        score: ReVOSScore = getattr(found, self._group)
        measures = jf_measures(score.jf, score.j, score.f)
        if self._group != "overall":
            return Result(measures, self._n)
        kinds = {"referring": found.referring, "reasoning": found.reasoning}
        by_kind = {kind: percent(one.jf) for kind, one in kinds.items()}
        more = {"A": percent(score.a), "R": percent(score.r)}
        return Result({**measures, **more}, self._n, {"J&F by kind": by_kind})


def _true_ids(queries: Sequence[ClipQuery], frame: int) -> np.ndarray:
    """Id map (H, W) of the objects of one annotator, with void."""
    masks = [query.masks(frame) for query in queries]
    objects = np.concatenate([one for one in masks if one is not None])
    ids = id_map(dict(enumerate(objects, start=1)), objects.shape[1:])
    void = queries[0].ignore and queries[0].ignore(frame)
    if void is not None:
        ids[void] = VOID
    return ids


def _fused(predictions: Sequence[Prediction]) -> np.ndarray:
    """Id map (H, W) of one frame's predictions for the expressions of one annotator."""
    scores = []
    for one in predictions:
        score = max((segment.score for segment in one.segments), default=0.0)
        scores.append(predicted_union(one) * (1 + score) / 2)
    return fuse_objects(scores)


def _area(sample: ClipSample, frame: int) -> int:
    """How many pixels belong to any target of the clip's expressions."""
    masks = [query.masks(frame) for query in sample.queries]
    return int(np.concatenate([one for one in masks if one is not None]).any(axis=0).sum())
