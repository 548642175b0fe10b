"""Masks for region prompts, and objects in two views."""

import numpy as np
import pytest
from metrics.proposals import best_proposal, union_above

from vlseg_cli.evaluation.metrics.interactive import CorrespondenceIoU, InteractiveIoU


def rows(count: int) -> np.ndarray:
    mask = np.zeros((10, 10), bool)
    mask[:count] = True
    return mask


def test_kinds_do_not_mix() -> None:
    meter = InteractiveIoU()
    meter.add("point", rows(4), rows(8))
    meter.add("box", rows(8), rows(8))
    meter.add("box", rows(1), rows(1), ignore=rows(2))
    result = meter.result()
    assert list(result) == ["box", "point"]
    assert (result["point"].ciou, result["point"].n) == (pytest.approx(0.5), 1)
    assert (result["box"].miou, result["box"].n) == ((80 / (80 + 1e-5) + 1) / 2, 2)


def test_the_first_of_the_best_proposals_is_chosen() -> None:
    masks = [rows(1), rows(2), rows(3)]
    assert best_proposal(masks, [0.2, 0.7, 0.7]) is masks[1]


def test_proposals_above_the_threshold_are_united_or_the_best_is_taken() -> None:
    masks = [rows(1), ~rows(9), rows(3)]
    assert union_above(masks, [0.7, 0.8, 0.6], 0.6).sum() == 20
    assert union_above(masks, [0.1, 0.2, 0.6], 0.6) is masks[2]


def test_the_mean_is_over_objects_in_views() -> None:
    meter = CorrespondenceIoU()
    assert meter.result().iou is None
    truth = np.zeros((4, 4), bool)
    truth[:2] = True
    assert meter.add(truth, truth) == 1
    assert meter.add(~truth, truth) == 0
    assert meter.add(np.ones((4, 4), bool), truth) == 0.5
    assert (meter.result().iou, meter.result().n) == (0.5, 3)
