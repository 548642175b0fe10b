"""Semantic scores against counting class by class, and the official treatment of odd pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from vlseg_cli.evaluation.metrics.semantic import SemanticIoU, class_boundary
from vlseg_cli.schema import InputError

CLASSES = 4
MAPS = npst.arrays(np.int64, (6, 5), elements=st.sampled_from([-1, 0, 1, 2, 3, 255]))


@given(MAPS, MAPS, st.booleans())
@settings(max_examples=60)
def test_agrees_with_masks_of_each_class(
    prediction: np.ndarray, truth: np.ndarray, unpredicted_is_wrong: bool
) -> None:
    meter = SemanticIoU(CLASSES, unpredicted_is_wrong=unpredicted_is_wrong)
    meter.add(prediction, truth)
    result = meter.result()
    counted = np.isin(truth, range(CLASSES))
    if not unpredicted_is_wrong:
        counted &= np.isin(prediction, range(CLASSES))
    ious, accuracies = [], []
    for name in range(CLASSES):
        true, predicted = (truth == name) & counted, (prediction == name) & counted
        if true.any():
            ious.append((true & predicted).sum() / (true | predicted).sum())
            accuracies.append((true & predicted).sum() / true.sum())
    if not ious:
        assert result.miou is None and result.pixel_accuracy is None
        return
    assert result.miou == pytest.approx(np.mean(ious))
    assert result.mean_accuracy == pytest.approx(np.mean(accuracies))
    assert result.pixel_accuracy == pytest.approx((prediction == truth)[counted].mean())
    assert result.frequency_weighted_iou is not None and 0 <= result.frequency_weighted_iou <= 1


@given(MAPS, MAPS, st.permutations(range(CLASSES)))
@settings(max_examples=30)
def test_names_of_classes_do_not_matter(
    prediction: np.ndarray, truth: np.ndarray, order: list[int]
) -> None:
    renamed = np.array([*order, *[255] * 252])
    meters = SemanticIoU(CLASSES), SemanticIoU(CLASSES)
    meters[0].add(prediction, truth)
    meters[1].add(renamed[prediction], renamed[truth])
    assert meters[0].result().miou == pytest.approx(meters[1].result().miou)


def test_a_class_that_is_only_predicted_is_not_averaged() -> None:
    meter = SemanticIoU(CLASSES)
    meter.add(np.array([[0, 0, 1]]), np.array([[0, 0, 0]]))
    result = meter.result()
    assert result.miou == pytest.approx(2 / 3)
    assert np.isnan(result.iou[1])


def test_unpredicted_pixels_can_count_as_wrong_and_ignored_ones_never_count() -> None:
    maps = np.array([[0, -1, 2, 3]]), np.array([[0, 0, 255, -1]])
    official, ours = SemanticIoU(CLASSES), SemanticIoU(CLASSES, unpredicted_is_wrong=True)
    official.add(*maps)
    ours.add(*maps)
    assert (official.result().miou, official.result().pixel_accuracy) == (1, 1)
    assert (ours.result().miou, ours.result().pixel_accuracy) == (1 / 2, 1 / 2)


def test_boundaries_are_differences_to_the_lowest_class_nearby() -> None:
    classes = np.full((7, 9), 2)
    classes[:, 5:] = 3
    expected = np.zeros((7, 9), int)
    expected[1:-1, 5] = 1  # beside class 2
    expected[[0, -1]] = classes[0]  # outside the image lies class 0
    expected[:, [0, -1]] = (2, 3)
    assert (class_boundary(classes) == expected).all()


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match="own size"):
        SemanticIoU(CLASSES).add(np.zeros((2, 3), int), np.zeros((3, 2), int))
