"""Mask IoU meters: the formulas on masks one can count by hand, and what must always hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from vlseg_cli.evaluation.metrics.refer import MaskIoU
from vlseg_cli.schema import InputError

MASKS = npst.arrays(bool, (5, 7))
PAIRS = st.lists(st.tuples(MASKS, MASKS, MASKS), min_size=1, max_size=6)


def rows(first: int, last: int) -> np.ndarray:
    mask = np.zeros((10, 10), bool)
    mask[first:last] = True
    return mask


def test_formulas_by_hand() -> None:
    meter = MaskIoU()
    score = meter.add(rows(0, 4), rows(2, 6))
    assert (score.intersection, score.union) == (20, 60)
    assert score.iou == 20 / (60 + 1e-5)
    assert meter.add(rows(0, 10), rows(0, 10)).iou == pytest.approx(1, abs=1e-6)
    assert meter.add(rows(0, 0), rows(0, 0)).iou == 1
    assert meter.add(rows(0, 3), rows(0, 0)).iou == 0
    result = meter.result()
    assert result.ciou == pytest.approx(120 / 190)
    assert result.giou == pytest.approx((1 / 3 + 1 + 1 + 0) / 4, abs=1e-6)
    assert (result.precision[0.5], result.n) == (0.5, 4)


def test_precision_counts_an_iou_of_exactly_the_threshold() -> None:
    meter = MaskIoU(thresholds=[0.5, 0.7])
    meter.add(rows(0, 2), rows(0, 4))
    meter.add(rows(0, 7), rows(0, 10))
    assert meter.result().precision == {0.5: 1, 0.7: 0.5}


def test_epsilons_of_the_code_bases() -> None:
    plain, small, reduced = MaskIoU(), MaskIoU(union_epsilon=1e-8), MaskIoU(count_epsilon=1e-5)
    for meter in (plain, small, reduced):
        meter.add(rows(0, 1), rows(0, 2))
    assert plain.result().giou == 10 / (20 + 1e-5)
    assert small.result().giou == 10 / (20 + 1e-8)
    assert reduced.result().giou == 10 / (20 + 1e-5) / (1 + 1e-5)


def test_ignored_pixels_count_neither_way() -> None:
    meter = MaskIoU()
    score = meter.add(rows(0, 6), rows(0, 4), ignore=rows(4, 10))
    assert (score.intersection, score.union) == (40, 40)
    assert meter.add(rows(4, 6), rows(0, 0), ignore=rows(4, 6)).iou == 1


def test_sums_do_not_round_beyond_float32() -> None:
    meter = MaskIoU()
    whole, empty = np.ones((3000, 3000), bool), np.zeros((3000, 3000), bool)
    one = empty.copy()
    one[0, 0] = True
    for prediction in (whole, whole, one):
        meter.add(prediction, whole if prediction is whole else one)
    meter.add(one, empty)
    assert meter.result().ciou == (18_000_001) / (18_000_002 + 1e-10)


def test_no_prediction_has_no_score() -> None:
    result = MaskIoU(thresholds=[0.5]).result()
    assert (result.ciou, result.giou, result.precision, result.n) == (None, None, {0.5: None}, 0)


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match="resize the prediction"):
        MaskIoU().add(np.zeros((2, 3), bool), np.zeros((3, 2), bool))


@given(PAIRS)
@settings(max_examples=30)
def test_scores_stay_in_range_and_precision_falls(samples: list) -> None:
    meter = MaskIoU()
    for sample in samples:
        meter.add(*sample)
    result = meter.result()
    precision = list(result.precision.values())
    for score in (result.ciou, result.giou, *precision):
        assert score is not None and 0 <= score <= 1
    assert precision == sorted(precision, reverse=True)
