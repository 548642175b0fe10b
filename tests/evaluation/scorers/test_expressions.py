"""Scores of sentences and boxes, counted by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from vlseg_cli.evaluation.scorers.expressions import BoxScorer, ExpressionScorer, GeneralizedScorer
from vlseg_cli.schema import Expression, Frame, Prediction, Query, Sample, Task, segment_from_mask


def row(*columns: int) -> np.ndarray:
    """A mask of one row of eight pixels."""
    mask = np.zeros((1, 8), bool)
    mask[0, list(columns)] = True
    return mask


def predicted(
    truths: Sequence[np.ndarray | None], answers: Sequence[np.ndarray | None], kinds: str = ""
) -> tuple[Sample, list[Prediction]]:
    """One image with a query per truth (None: no target), and its predictions."""
    frame, prompt = Frame(np.zeros((1, 8, 3), np.uint8), "a.jpg"), Expression("it")
    queries, predictions = [], []
    for truth, answer, kind in zip(truths, answers, kinds or " " * len(truths), strict=True):
        masks = np.zeros((0, 1, 8), bool) if truth is None else truth[None]
        boxes = None if truth is None else np.array([segment_from_mask(truth, 1, "").bbox])
        labels = np.zeros(len(masks), np.int64)
        queries.append(Query(Task.REFER, prompt, masks, labels, kind=kind, boxes=boxes))
        segments = () if answer is None else (segment_from_mask(answer, 0.5, "it"),)
        predictions.append(Prediction("a.jpg", 0, 1, 8, Task.REFER, prompt, segments))
    return Sample(frame, tuple(queries)), predictions


def test_sentences_are_counted_together_and_by_kind() -> None:
    score = ExpressionScorer("gIoU")
    cases = score.add(*predicted([row(0, 1), row(4)], [row(1, 2, 3), None], "ab"))
    assert [case.score for case in cases] == [pytest.approx(1 / 4, abs=1e-5), 0]
    result = score.result()
    assert list(result.measures)[:2] == ["gIoU", "cIoU"] and result.n == 2
    assert result.measures["cIoU"] == pytest.approx(100 / 5)
    assert result.measures["gIoU"] == pytest.approx(100 / 8, abs=1e-3)
    assert result.groups["gIoU by kind"] == {"a": pytest.approx(25, abs=1e-3), "b": 0}


def test_an_empty_mask_predicts_no_target() -> None:
    truths = [row(0, 1), row(4), None, None]
    score = GeneralizedScorer()
    score.add(*predicted(truths, [row(0, 1), None, None, row(2, 3)]))
    measures = score.result().measures
    assert (measures["N-acc"], measures["T-acc"]) == (50, 50)
    assert measures["gIoU"] == pytest.approx(50, abs=1e-3)
    assert measures["cIoU"] == pytest.approx(100 * 2 / 5)


def test_boxes_are_right_from_one_half_on() -> None:
    truths = [row(0, 1, 2, 3), row(0, 1), row(0)]
    answers = [row(2, 3), row(2, 3), None]
    score = BoxScorer()
    score.add(*predicted(truths, answers))
    assert score.result().measures == {"accuracy@0.5": pytest.approx(100 / 3)}
