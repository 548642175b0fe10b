"""What all scorers of clips share: the loop over queries, and a still for the report.

Predictions of a clip are one row per frame with one prediction per query. Masks are decoded
frame by frame, so a clip costs as much memory as its longest row.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, tee

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.scorers.base import Result, percent
from vlseg_cli.evaluation.truth import predicted_union
from vlseg_cli.schema import ClipQuery, ClipSample, Prediction, Query, Regions, decode_rle

Masks = Iterator[NDArray[np.bool_]]  # (H, W), frame by frame


def predictions_of(
    sample: ClipSample, predictions: Sequence[Prediction], index: int
) -> Sequence[Prediction]:
    """The predictions of query number ``index``, one per frame."""
    return predictions[index :: len(sample.queries)]


def by_query(
    sample: ClipSample, predictions: Sequence[Prediction]
) -> Iterator[tuple[ClipQuery, Sequence[Prediction]]]:
    """Every query with its predictions, one per frame."""
    for index, query in enumerate(sample.queries):
        yield query, predictions_of(sample, predictions, index)


class ClipScorer(ABC):
    """Counts every query of a clip by itself."""

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Scorer``."""
        return [
            case
            for query, own in by_query(sample, predictions)
            for case in self.count(sample, query, own)
        ]

    @abstractmethod
    def count(
        self, sample: ClipSample, query: ClipQuery, of_query: Sequence[Prediction]
    ) -> Iterable[Case]:
        """Count the predictions of one query, one per frame; returns its cases."""

    @abstractmethod
    def result(self) -> Result:
        """See ``Scorer``."""


def jf_measures(jf: float | None, j: float | None, f: float | None) -> dict[str, float | None]:
    """The three numbers of all video tables."""
    return {"J&F": percent(jf), "J": percent(j), "F": percent(f)}


def union_pairs(
    sample: ClipSample, query: ClipQuery, of_query: Sequence[Prediction]
) -> tuple[Masks, Masks] | None:
    """Predicted and true mask of all targets, in step, over the frames that have a truth.

    None if there is no such frame: the truth is on a server.
    """
    annotated = (
        (predicted_union(of_query[frame]), np.asarray(truth.any(axis=0)))
        for frame in range(sample.length)
        if (truth := query.masks(frame)) is not None
    )
    first = next(annotated, None)
    if first is None:
        return None
    guesses, goals = tee(chain([first], annotated))
    return (guess for guess, _ in guesses), (goal for _, goal in goals)


def id_map(masks: dict[int, NDArray[np.bool_]], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Numbered masks on one map (H, W), 0 where there is none; later ones cover earlier ones."""
    ids = np.zeros(shape, np.int64)
    for number, mask in masks.items():
        ids[mask] = number
    return ids


def tracked(prediction: Prediction) -> dict[int, NDArray[np.bool_]]:
    """Masks (H, W) by track number: regions have 1, 2, … in the order of the prompts."""
    return {one.track_id: decode_rle(one.rle) for one in prediction.segments if one.track_id}


def still(
    sample: ClipSample,
    query: ClipQuery,
    of_query: Sequence[Prediction],
    measure: str,
    score: float,
    number: int | None = None,
) -> Case:
    """An annotated frame, about the middle of the clip, with the score of the whole clip.

    number: of the region it is about, from 0; None for all targets.
    """
    outwards = sorted(range(sample.length), key=lambda frame: abs(frame - sample.length // 2))
    seen = ((frame, query.masks(frame)) for frame in outwards)
    frame, masks = next((frame, masks) for frame, masks in seen if masks is not None)
    prediction, prompt = of_query[frame], query.prompt
    if number is not None and isinstance(prompt, Regions):
        own = tuple(one for one in prediction.segments if one.track_id == number + 1)
        prediction = replace(prediction, segments=own)
        masks, prompt = masks[number : number + 1], Regions(prompt.regions[number : number + 1])
    labels = np.arange(len(masks))
    shown = Query(query.task, prompt, masks, labels, kind=query.kind or "object")
    return Case(sample.read(frame), shown, prediction, measure, score)
