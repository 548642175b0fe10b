"""Boundary IoU: only what is near the outline counts."""

import numpy as np
import pytest

from vlseg_cli.evaluation.metrics.boundary import MeanBoundaryIoU, boundary, boundary_iou


def square(low: int, high: int, size: int = 100) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[low:high, low:high] = True
    return mask


def test_the_boundary_is_as_thick_as_a_fraction_of_the_diagonal() -> None:
    ring = boundary(square(10, 90))  # 2 % of 141 px: 3 px
    assert ring.sum() == 80**2 - 74**2
    assert not ring[13:87, 13:87].any()


def test_an_object_at_the_border_of_the_image_has_an_edge_there() -> None:
    assert boundary(np.ones((100, 100), bool)).sum() == 100**2 - 94**2


def test_a_hole_far_from_the_outline_changes_plain_iou_but_the_outline_stays() -> None:
    whole, ragged = square(10, 90), square(10, 90)
    ragged[10:90:4, 10:12] = False
    assert boundary_iou(whole, whole) == 1
    plain = (whole & ragged).sum() / whole.sum()
    assert boundary_iou(whole, ragged) < plain


def test_masks_that_do_not_touch_score_0_and_two_empty_ones_1() -> None:
    empty = np.zeros((100, 100), bool)
    assert boundary_iou(square(0, 20), square(60, 90)) == 0
    assert boundary_iou(square(0, 20), empty) == 0
    assert boundary_iou(empty, empty) == 1


def test_the_mean_of_nothing_is_none() -> None:
    meter = MeanBoundaryIoU()
    assert meter.result() is None
    meter.add(square(0, 20), square(0, 20))
    meter.add(square(0, 20), square(60, 90))
    assert meter.result() == pytest.approx(0.5)
