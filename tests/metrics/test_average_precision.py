"""COCO AP, one image at a time, must be the number pycocotools computes from files."""

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from vlseg_cli.evaluation.metrics.average_precision import (
    STATS,
    AveragePrecision,
    AveragePrecisionResult,
    Detection,
    TrueInstance,
)
from vlseg_cli.schema import InputError, encode_rle, segment_from_mask

SIDE = 120


def rectangle(rng: np.random.Generator) -> np.ndarray:
    x, y = rng.integers(0, SIDE - 20, 2)
    width, height = rng.integers(5, 100, 2)
    mask = np.zeros((SIDE, SIDE), bool)
    mask[y : y + height, x : x + width] = True
    return mask


def score(
    truth: dict[str, Any], detections: list[dict[str, Any]], kind: Literal["bbox", "segm"] = "bbox"
) -> AveragePrecisionResult:
    """Feed COCO lists to the meter, last image first: the order must not matter."""
    name = "bbox" if kind == "bbox" else "segmentation"

    def shape(one: dict[str, Any]) -> Any:
        return tuple(one[name]) if kind == "bbox" else one[name]

    meter = AveragePrecision([one["id"] for one in truth["categories"]])
    for image in reversed([one["id"] for one in truth["images"]]):
        goals = [one for one in truth["annotations"] if one["image_id"] == image]
        guesses = [one for one in detections if one["image_id"] == image]
        meter.add(
            image,
            [
                TrueInstance(one["category_id"], shape(one), one["area"], bool(one["iscrowd"]))
                for one in goals
            ],
            [Detection(one["category_id"], shape(one), one["score"]) for one in guesses],
        )
    return meter.result()


@pytest.fixture(scope="module")
def scene() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Five images, three categories (one without truth), jittered and spurious detections."""
    rng = np.random.default_rng(5)
    truth: dict[str, Any] = {
        "images": [{"id": n, "height": SIDE, "width": SIDE} for n in range(5)],
        "categories": [{"id": 1}, {"id": 4}, {"id": 9}],
        "annotations": [],
    }
    detections = []
    for number in range(20):
        mask, image = rectangle(rng), int(rng.integers(5))
        segment = segment_from_mask(mask, 1.0, "")
        truth["annotations"].append(
            {
                "id": number + 1,
                "image_id": image,
                "category_id": [1, 4][number % 2],
                "bbox": list(segment.bbox),
                "segmentation": encode_rle(mask),
                "area": segment.area,
                "iscrowd": int(number == 7),
            }
        )
        for guess in (np.roll(mask, rng.integers(-6, 6, 2), (0, 1)), rectangle(rng)):
            detections.append(
                {
                    "image_id": image,
                    "category_id": [1, 4, 9][int(rng.integers(3))]
                    if rng.random() < 0.3
                    else [1, 4][number % 2],
                    "bbox": list(segment_from_mask(guess, 1.0, "").bbox),
                    "segmentation": encode_rle(guess),
                    "score": round(float(rng.random()), 1),
                }
            )
    return truth, detections


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_equals_the_evaluator_run_on_files(
    kind: Literal["bbox", "segm"], scene: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, detections = scene
    shape = "bbox" if kind == "bbox" else "segmentation"
    lean = [{k: d[k] for k in ("image_id", "category_id", "score", shape)} for d in detections]
    (tmp_path / "truth.json").write_text(json.dumps({**truth, "info": {}}))
    (tmp_path / "found.json").write_text(json.dumps(lean))
    goal = COCO(tmp_path / "truth.json")
    official = COCOeval(goal, goal.loadRes(str(tmp_path / "found.json")), kind)
    official.evaluate()
    official.accumulate()
    official.summarize()
    capsys.readouterr()
    found = score(truth, detections, kind)
    assert capsys.readouterr().out == ""
    expected = [None if value == -1 else value for value in official.stats]
    assert [found.stats[name] for name in STATS] == expected
    assert found.per_category[9] is None
    assert 0 < found.stats["AP"] < 1
    assert np.mean([found.per_category[1], found.per_category[4]]) == pytest.approx(
        found.stats["AP"]
    )


def test_the_truth_itself_scores_one(scene: Any) -> None:
    truth, _ = scene
    perfect = [{**one, "score": 0.9} for one in truth["annotations"] if not one["iscrowd"]]
    stats = score(truth, perfect).stats
    assert stats["AP"] == pytest.approx(1)
    assert stats["AP50"] == pytest.approx(1)


def test_no_detection_scores_zero_and_no_truth_scores_nothing(scene: Any) -> None:
    truth, detections = scene
    assert score(truth, []).stats["AP"] == 0
    assert score({**truth, "annotations": []}, detections).stats["AP"] is None
    assert score({**truth, "images": []}, []).stats["AR100"] is None


def test_order_of_detections_does_not_matter(scene: Any) -> None:
    truth, detections = scene
    distinct = [{**one, "score": n / 100} for n, one in enumerate(detections)]
    assert score(truth, distinct) == score(truth, distinct[::-1])


def test_only_the_hundred_best_of_a_category_count(scene: Any) -> None:
    truth, _ = scene
    one = truth["annotations"][0]
    late = {**one, "score": 0.1}
    wrong = {**one, "bbox": [0.0, 0.0, 1.0, 1.0], "score": 0.9}
    only = {**truth, "annotations": [one], "images": [{"id": one["image_id"]}]}
    assert score(only, [wrong] * 99 + [late]).stats["AR100"] == 1
    assert score(only, [wrong] * 100 + [late]).stats["AR100"] == 0


def test_an_image_counts_once() -> None:
    meter, other = AveragePrecision([1]), AveragePrecision([1])
    for one in (meter, other):
        one.add(7, [], [])
    with pytest.raises(InputError, match="7 is counted twice"):
        meter.add(7, [], [])
    with pytest.raises(InputError, match="7 is counted twice"):
        meter.merge(other)
