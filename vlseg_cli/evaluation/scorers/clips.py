"""What all scores of clips need: a query's answers frame by frame, and a still for the report.

Answers of a clip come as one row per frame with one answer per query. Masks are decoded frame by
frame, so a clip costs as much memory as its longest row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, tee

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.truth import predicted_union
from vlseg_cli.schema import ClipQuery, ClipSample, Prediction, Query, Regions, decode_rle

Masks = Iterator[NDArray[np.bool_]]  # (H, W), frame by frame


def predictions_of(
    sample: ClipSample, predictions: Sequence[Prediction], place: int
) -> Sequence[Prediction]:
    """The answers to query number ``place``, one per frame."""
    return predictions[place :: len(sample.queries)]


def union_pairs(
    sample: ClipSample, query: ClipQuery, answers: Sequence[Prediction]
) -> tuple[Masks, Masks] | None:
    """Answered and true mask of all that is meant, in step, over the frames that have a truth.

    None if there is no such frame: only a server knows.
    """
    annotated = (
        (predicted_union(answers[frame]), np.asarray(truth.any(axis=0)))
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
    """Masks (H, W) by track number: regions have 1, 2, … in the order they are asked."""
    return {one.track_id: decode_rle(one.rle) for one in prediction.segments if one.track_id}


def still(
    sample: ClipSample,
    query: ClipQuery,
    answers: Sequence[Prediction],
    measure: str,
    score: float,
    number: int | None = None,
) -> Case:
    """An annotated frame, about the middle of the clip, with the score of the whole answer.

    number: of the region it is about, from 0; None for all that is meant.
    """
    outwards = sorted(range(sample.length), key=lambda frame: abs(frame - sample.length // 2))
    seen = ((frame, query.masks(frame)) for frame in outwards)
    frame, masks = next((frame, masks) for frame, masks in seen if masks is not None)
    prediction, prompt = answers[frame], query.prompt
    if number is not None and isinstance(prompt, Regions):
        own = tuple(one for one in prediction.segments if one.track_id == number + 1)
        prediction = replace(prediction, segments=own)
        masks, prompt = masks[number : number + 1], Regions(prompt.regions[number : number + 1])
    labels = np.arange(len(masks))
    shown = Query(query.task, prompt, masks, labels, kind=query.kind or "object")
    return Case(sample.read(frame), shown, prediction, measure, score)
