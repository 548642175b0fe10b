"""Boxes for sentences: overlaps by hand, and what one half means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco

from vlseg_cli.evaluation.metrics.rec import BoxAccuracy, box_iou, generalized_box_iou

SIDES = st.integers(1, 50).map(float)
BOXES = st.tuples(SIDES, SIDES, SIDES, SIDES)


def test_exactly_one_half_is_correct_unless_strict() -> None:
    plain, strict = BoxAccuracy(), BoxAccuracy(strict=True)
    for meter in (plain, strict):
        assert meter.add((10, 10, 20, 10), (10, 10, 20, 20)) == 0.5
    assert (plain.result().accuracy, strict.result().accuracy) == (1, 0)


def test_the_generalized_overlap_is_stricter() -> None:
    diagonal = (0.0, 0.0, 20.0, 20.0), (3.6, 3.6, 20.0, 20.0)
    both = 16.4**2
    assert box_iou(*diagonal) == pytest.approx(both / (800 - both))
    around = 23.6**2
    stricter = both / (800 - both) - (around - 800 + both) / around
    assert generalized_box_iou(*diagonal) == pytest.approx(stricter, abs=1e-6)
    meter = BoxAccuracy(generalized=True)
    meter.add(*diagonal)
    assert meter.result().accuracy == 0


@given(BOXES, BOXES)
def test_overlaps_are_symmetric_and_bounded(first: tuple, second: tuple) -> None:
    iou, generalized = box_iou(first, second), generalized_box_iou(first, second)
    assert iou == box_iou(second, first)
    assert -1 < generalized <= iou + 1e-6 <= 1 + 1e-6
    assert generalized == generalized_box_iou(second, first)
    assert box_iou(first, first) == 1


def test_boxes_that_only_touch_do_not_overlap() -> None:
    assert box_iou((0, 0, 5, 5), (5, 0, 5, 5)) == 0


def test_overlaps_are_those_of_pycocotools_to_the_last_bit() -> None:
    rng = np.random.default_rng(3)
    for first, second in (rng.random((200, 2, 4)) * 9).tolist():
        assert box_iou(tuple(first), tuple(second)) == coco.iou([first], [second], [0])[0, 0]


def test_boxes_without_an_area() -> None:
    assert generalized_box_iou((1, 1, 0, 0), (4, 4, 0, 3)) == 0
    assert box_iou((1, 1, 0, 0), (1, 1, 0, 0)) == 0


def test_no_prediction_has_no_score() -> None:
    assert BoxAccuracy().result().accuracy is None
