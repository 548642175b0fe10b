"""Ref-DAVIS17: four runs and their mean, and how one mask per object becomes an id map."""

import numpy as np
import pytest

from vlseg_cli.evaluation.metrics.ref_davis import RUNS, RefDavis, fuse_objects


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
