"""Semantic scores against counting class by class, and the official treatment of odd pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from vlseg_cli.evaluation.semantic import SemanticMeter
from vlseg_cli.schema import InputError

CLASSES = 4
MAPS = npst.arrays(np.int64, (6, 5), elements=st.sampled_from([-1, 0, 1, 2, 3, 255]))


@given(MAPS, MAPS)
@settings(max_examples=60, deadline=None)
def test_agrees_with_masks_of_each_class(prediction: np.ndarray, truth: np.ndarray) -> None:
    meter = SemanticMeter(CLASSES)
    meter.add(prediction, truth)
    known = np.isin(truth, range(CLASSES))
    ious, accuracies = [], []
    for name in range(CLASSES):
        true, predicted = truth == name, (prediction == name) & known
        if true.any():
            ious.append((true & predicted).sum() / (true | predicted).sum())
            accuracies.append((true & predicted).sum() / true.sum())
    if not ious:
        assert meter.miou is None and meter.pixel_accuracy is None
        return
    assert meter.miou == pytest.approx(np.mean(ious))
    assert meter.mean_accuracy == pytest.approx(np.mean(accuracies))
    assert meter.pixel_accuracy == pytest.approx((prediction == truth)[known].mean())
    assert 0 <= meter.frequency_weighted_iou <= 1


@given(MAPS, MAPS, st.permutations(range(CLASSES)))
@settings(max_examples=30, deadline=None)
def test_names_of_classes_do_not_matter(
    prediction: np.ndarray, truth: np.ndarray, order: list[int]
) -> None:
    renamed = np.array([*order, *[255] * 252])
    meters = SemanticMeter(CLASSES), SemanticMeter(CLASSES)
    meters[0].add(prediction, truth)
    meters[1].add(renamed[prediction], renamed[truth])
    assert meters[0].miou == pytest.approx(meters[1].miou)


def test_a_class_that_is_only_predicted_is_not_averaged() -> None:
    meter = SemanticMeter(CLASSES)
    meter.add(np.array([[0, 0, 1]]), np.array([[0, 0, 0]]))
    assert meter.miou == pytest.approx(2 / 3)
    assert np.isnan(meter.iou[1])


def test_unanswered_pixels_are_wrong_and_ignored_ones_are_nothing() -> None:
    meter = SemanticMeter(CLASSES)
    meter.add(np.array([[0, -1, 2, 3]]), np.array([[0, 0, 255, -1]]))
    assert meter.miou == pytest.approx(1 / 2)
    assert meter.pixel_accuracy == pytest.approx(1 / 2)


def test_merged_pictures_equal_one_meter() -> None:
    truth = np.array([[0, 1, 2, 3]])
    parts, whole = SemanticMeter(CLASSES), SemanticMeter(CLASSES)
    for prediction in (truth, truth[:, ::-1]):
        picture = SemanticMeter(CLASSES)
        for meter in (picture, whole):
            meter.add(prediction, truth)
        parts.merge(picture)
    assert parts.miou == whole.miou == pytest.approx(1 / 3)


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match="own size"):
        SemanticMeter(CLASSES).add(np.zeros((2, 3), int), np.zeros((3, 2), int))
