"""Cityscapes AP: numbers of cityscapesscripts 2.3 on random images, and cases by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from vlseg_cli.evaluation.metrics.cityscapes import CityscapesAP, ScoredMask
from vlseg_cli.schema import InputError, decode_rle

OFFICIAL = Path(__file__).parent / "cityscapes_official.json"
CAR, ROAD, SKY_VOID = 26, 7, 3


def street(*boxes: tuple[int, int]) -> np.ndarray:
    """A road (40, 60); each box is an id and the row it begins at, 20 px wide and 10 high."""
    ids = np.full((40, 60), ROAD)
    for number, row in boxes:
        ids[row : row + 10, 5:25] = number
    return ids


def detected(row: int, score: float, height: int = 10) -> ScoredMask:
    mask = np.zeros((40, 60), bool)
    mask[row : row + height, 5:25] = True
    return ScoredMask(CAR, mask, score)


def test_cityscapes_equals_the_official_evaluator() -> None:
    official = json.loads(OFFICIAL.read_text())
    meter = CityscapesAP()
    for image in official["pictures"]:
        truth = sum(number * decode_rle(rle).astype(int) for number, rle in image["truth"])
        meter.add(truth, [ScoredMask(x, decode_rle(rle), s) for x, rle, s in image["detections"]])
    result = meter.result()
    assert result.ap == pytest.approx(official["ap"], abs=1e-12)
    assert result.ap50 == pytest.approx(official["ap50"], abs=1e-12)
    for label, value in result.labels.items():
        assert value == pytest.approx(official["labels"][str(label)], abs=1e-12)


def test_the_truth_itself_scores_one() -> None:
    meter = CityscapesAP()
    meter.add(street((26001, 2), (26002, 20)), [detected(2, 0.4), detected(20, 0.9)])
    result = meter.result()
    assert (result.ap, result.ap50, result.labels[CAR]) == (1, 1, 1)
    assert result.labels[24] is None


def test_an_overlap_of_exactly_one_half_is_not_enough() -> None:
    meter = CityscapesAP()
    meter.add(street((26001, 2)), [detected(2, 0.9, height=5)])
    assert meter.result().ap50 == 0


@pytest.mark.parametrize("number", [CAR, SKY_VOID])
def test_detections_of_groups_and_of_void_are_not_wrong(number: int) -> None:
    meter = CityscapesAP()
    meter.add(street((26001, 2), (number, 20)), [detected(2, 0.5), detected(20, 0.9)])
    assert meter.result().ap == 1


def test_a_second_detection_of_an_object_is_wrong() -> None:
    meter = CityscapesAP()
    answers = [detected(2, 0.9), detected(2, 0.8), detected(20, 0.5)]
    meter.add(street((26001, 2), (26002, 20)), answers)
    # Precision 2/3, 1/2, 1 at recall 1, 1/2, 1/2, then 1 at 0; each reaches half way, 1/4 each.
    assert meter.result().ap == pytest.approx((2 / 3 + 1 / 2 + 1 + 1) / 4)


def test_small_objects_are_not_counted() -> None:
    ids = np.full((40, 60), ROAD)
    ids[3:8, 5:15] = 26001
    meter = CityscapesAP()
    meter.add(ids, [])
    assert meter.result().ap is None


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match="resize the prediction"):
        CityscapesAP().add(np.zeros((3, 3), int), [detected(1, 0.5)])
