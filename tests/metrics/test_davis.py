"""DAVIS and Ref-DAVIS17 on sequences whose scores are known."""

import numpy as np
import pytest

from vlseg_cli.evaluation.metrics.davis import (
    RUNS,
    VOID,
    DavisSemiSupervised,
    DavisUnsupervised,
    RefDavis,
    fuse_objects,
)
from vlseg_cli.schema import InputError


def bands(frames: int, *numbers: int) -> np.ndarray:
    """(T, 20, 24): one horizontal band of pixels per number."""
    maps = np.zeros((frames, 20, 24), np.uint8)
    for position, number in enumerate(numbers):
        maps[:, 4 * position + 2 : 4 * position + 5] = number
    return maps


def test_the_first_and_the_last_frame_are_not_scored() -> None:
    truth, answer = bands(5, 1), bands(5, 1)
    answer[[0, -1]] = 9
    (score,) = DavisSemiSupervised().add("sequence", truth, answer)
    assert (score.j.mean, score.f.mean, score.j.recall, score.j.decay) == (1, 1, 1, 0)


def test_a_lost_object_scores_zero_and_a_new_one_is_ignored() -> None:
    truth, answer = bands(4, 1, 2), bands(4, 1, 0)
    truth[2:, 18:] = 3
    meter = DavisSemiSupervised()
    first, second = meter.add("sequence", truth, answer)
    assert (first.j.mean, second.j.mean) == (1, 0)
    result = meter.result()
    assert list(result.objects) == ["sequence_1", "sequence_2"]
    assert result.j is not None and result.j.mean == 0.5
    assert result.jf == 0.5


def test_recall_and_decay_follow_time() -> None:
    truth = bands(10, 1)
    answer = truth.copy()
    answer[5:] = 0  # of the eight scored frames the last four are lost
    (score,) = DavisSemiSupervised().add("sequence", truth, answer)
    assert (score.j.mean, score.j.recall, score.j.decay) == (0.5, 0.5, 1.0)


def test_proposals_are_matched_one_to_one_in_their_own_order() -> None:
    truth, answer = bands(3, 1, 2), bands(3, 3, 1)
    answer[0, 2:5, :12] = 0  # proposal 3 misses half of object 1 in one frame
    first, second = DavisUnsupervised().add("sequence", truth, answer)
    assert first.j.mean == 1  # proposal 1, which is object 2
    assert second.j.mean == pytest.approx(2.5 / 3)


def test_void_counts_for_neither() -> None:
    truth, answer = bands(3, 1), bands(3, 1)
    truth[:, 8:] = VOID
    answer[:, 10:15] = 1
    (score,) = DavisUnsupervised().add("sequence", truth, answer)
    assert score.j.mean == 1


def test_invalid_predictions_are_an_error() -> None:
    meter = DavisSemiSupervised()
    with pytest.raises(InputError, match="has object 4, but its first frame shows 2"):
        meter.add("sequence", bands(4, 1, 2), bands(4, 1, 4))
    with pytest.raises(InputError, match="same frames"):
        meter.add("sequence", bands(4, 1), bands(3, 1))
    with pytest.raises(InputError, match="21 proposals"):
        DavisUnsupervised().add("sequence", bands(3, 1), bands(3, 21))
    meter.add("sequence", bands(4, 1), bands(4, 1))
    with pytest.raises(InputError, match="twice"):
        meter.add("sequence", bands(4, 1), bands(4, 1))


def test_the_mean_of_four_runs_needs_all_four() -> None:
    truth = np.zeros((3, 10, 12), np.uint8)
    truth[:, 2:6, 2:8] = 1
    meter = RefDavis()
    for run in range(RUNS):
        assert meter.result().jf is None
        meter.add(run, "sequence", truth, truth if run else np.zeros_like(truth))
    result = meter.result()
    assert (result.j, result.f, result.jf) == (0.75, 0.75, 0.75)
    assert [run.jf for run in result.runs] == [0, 1, 1, 1]


def test_the_highest_score_owns_a_pixel_and_half_is_the_least() -> None:
    first, second = np.array([[0.9, 0.6, 0.49, 0.5]]), np.array([[0.7, 0.8, 0.3, 0.5]])
    assert fuse_objects([first, second]).tolist() == [[1, 2, 0, 1]]


def test_a_run_beyond_the_fourth_is_refused() -> None:
    with pytest.raises(IndexError):
        RefDavis().add(4, "sequence", np.zeros((3, 4, 4), int), np.zeros((3, 4, 4), int))
