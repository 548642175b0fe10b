"""Correspondence: every object in a view weighs the same."""

import numpy as np

from vlseg_cli.evaluation.metrics.correspondence import CorrespondenceIoU


def test_the_mean_is_over_objects_in_views() -> None:
    meter = CorrespondenceIoU()
    assert meter.result().iou is None
    truth = np.zeros((4, 4), bool)
    truth[:2] = True
    assert meter.add(truth, truth) == 1
    assert meter.add(~truth, truth) == 0
    assert meter.add(np.ones((4, 4), bool), truth) == 0.5
    assert (meter.result().iou, meter.result().n) == (0.5, 3)
