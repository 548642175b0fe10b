"""Mask IoU meters: the formulas on masks one can count by hand, and what must always hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from vlseg_cli.evaluation.refer import ReferMeter
from vlseg_cli.schema import InputError

MASKS = npst.arrays(bool, (5, 7))
PAIRS = st.lists(st.tuples(MASKS, MASKS, MASKS), min_size=1, max_size=6)


def rows(first: int, last: int) -> np.ndarray:
    mask = np.zeros((10, 10), bool)
    mask[first:last] = True
    return mask


def test_formulas_by_hand() -> None:
    meter = ReferMeter()
    assert meter.add(rows(0, 4), rows(2, 6)) == pytest.approx(20 / 60, abs=1e-6)
    assert meter.add(rows(0, 10), rows(0, 10)) == pytest.approx(1, abs=1e-6)
    assert meter.add(rows(0, 0), rows(0, 0)) == 1
    assert meter.add(rows(0, 3), rows(0, 0)) == 0
    assert meter.ciou == pytest.approx(120 / 190)
    assert meter.giou == pytest.approx((1 / 3 + 1 + 1 + 0) / 4, abs=1e-6)
    assert meter.precision(0.5) == 0.5


def test_precision_counts_an_iou_of_exactly_the_threshold() -> None:
    meter = ReferMeter()
    meter.add(rows(0, 2), rows(0, 4))
    assert meter.precision(0.5) == 1


def test_ignored_pixels_count_neither_way() -> None:
    meter = ReferMeter()
    iou = meter.add(rows(0, 6), rows(0, 4), ignore=rows(4, 10))
    assert iou == pytest.approx(1, abs=1e-6)
    assert meter.add(rows(4, 6), rows(0, 0), ignore=rows(4, 6)) == 1


def test_sums_do_not_round_beyond_float32() -> None:
    meter = ReferMeter()
    whole, empty = np.ones((3000, 3000), bool), np.zeros((3000, 3000), bool)
    one = empty.copy()
    one[0, 0] = True
    for prediction in (whole, whole, one):
        meter.add(prediction, whole if prediction is whole else one)
    meter.add(one, empty)
    assert meter.ciou == (18_000_001) / (18_000_002 + 1e-10)


def test_nothing_asked_has_no_score() -> None:
    meter = ReferMeter()
    assert (meter.ciou, meter.giou, meter.precision(0.5)) == (None, None, None)


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match="resize the prediction"):
        ReferMeter().add(np.zeros((2, 3), bool), np.zeros((3, 2), bool))


@given(PAIRS)
@settings(max_examples=30, deadline=None)
def test_order_does_not_matter_and_scores_stay_in_range(samples: list) -> None:
    forward, backward = ReferMeter(), ReferMeter()
    for sample in samples:
        forward.add(*sample)
    for sample in reversed(samples):
        backward.add(*sample)
    for score in (forward.ciou, forward.giou, forward.precision(0.5)):
        assert score is not None and 0 <= score <= 1
    assert forward.ciou == backward.ciou
    assert forward.giou == pytest.approx(backward.giou)


@given(PAIRS, st.integers(0, 6))
@settings(max_examples=30, deadline=None)
def test_merged_parts_equal_the_whole(samples: list, cut: int) -> None:
    whole, left, right = ReferMeter(), ReferMeter(), ReferMeter()
    for number, sample in enumerate(samples):
        whole.add(*sample)
        (left if number < cut else right).add(*sample)
    left.merge(right)
    assert (left.ciou, left.giou, len(left)) == (whole.ciou, whole.giou, len(whole))
