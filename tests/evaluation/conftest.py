"""Predictions for clips: the truth, or what a function makes of it."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from vlseg_cli.schema import (
    Categories,
    ClipQuery,
    ClipSample,
    Prediction,
    Regions,
    Segment,
    segment_from_mask,
)

Mask = NDArray[np.bool_]
Change = Callable[[Mask], Mask]
Answer = Callable[..., list[Prediction]]


@pytest.fixture
def answer() -> Answer:
    """All predictions for a clip, by frame and query: true masks after a change."""

    def answered(sample: ClipSample, change: Change = lambda mask: mask) -> list[Prediction]:
        predictions = []
        for frame in range(sample.length):
            height, width = sample.read(frame).pixels.shape[:2]
            for place, query in enumerate(sample.queries):
                masks = query.masks(frame)
                truth = np.zeros((0, height, width), bool) if masks is None else masks
                segments = tuple(_segments(query, place, truth, change))
                predictions.append(
                    Prediction(
                        sample.source, frame, height, width, query.task, query.prompt, segments
                    )
                )
        return predictions

    return answered


def _segments(
    query: ClipQuery, place: int, truth: NDArray[np.bool_], change: Change
) -> Iterator[Segment]:
    """Things that can be seen; a sentence is one thing, whatever it means."""
    if not isinstance(query.prompt, Categories | Regions):
        truth = truth.any(axis=0, keepdims=True)
    labels = [*query.labels.tolist(), 0]
    for number, mask in enumerate(truth):
        if mask.any():
            category = labels[number] if isinstance(query.prompt, Categories) else None
            track = number + 1 if isinstance(query.prompt, Categories | Regions) else place + 1
            yield segment_from_mask(change(mask), 0.9, "thing", category, track)
