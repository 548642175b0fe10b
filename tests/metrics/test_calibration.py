"""The calibration error is 0 for honest scores and grows with the gap."""

import numpy as np
import pytest

from vlseg_cli.evaluation.metrics.calibration import CalibrationError


def error_of(scores: np.ndarray, right: np.ndarray) -> float | None:
    meter = CalibrationError()
    for score, is_right in zip(scores.tolist(), right.tolist(), strict=True):
        meter.add(score, is_right)
    return meter.result()


def test_scores_that_are_right_as_often_as_they_say_have_no_error() -> None:
    assert error_of(np.full(10, 0.7), np.arange(10) < 7) == pytest.approx(0)


def test_the_error_is_the_gap_weighted_by_the_share_of_answers() -> None:
    scores = np.array([0.95] * 6 + [0.15] * 2)
    right = np.array([True, True, True, False, False, False, False, False])
    assert error_of(scores, right) == pytest.approx((6 * 0.45 + 2 * 0.15) / 8)


def test_a_score_of_1_falls_into_the_last_bin() -> None:
    assert error_of(np.array([1.0, 1.0]), np.array([True, True])) == pytest.approx(0)


def test_no_answer_has_no_error() -> None:
    assert CalibrationError().result() is None
