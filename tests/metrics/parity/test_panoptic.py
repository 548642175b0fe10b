"""Panoptic quality against panopticapi: void, crowds, wrong classes, an IoU of exactly one half."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vlseg_cli.evaluation.metrics.panoptic_quality import (
    MeanQuality,
    PanopticQuality,
    PanopticSegment,
)


def ids(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"), np.int64) @ (1, 256, 65536)


def segments(annotation: dict[str, Any]) -> list[PanopticSegment]:
    return [
        PanopticSegment(one["id"], one["category_id"], one.get("area"), bool(one.get("iscrowd")))
        for one in annotation["segments_info"]
    ]


def means(quality: MeanQuality | None) -> dict[str, Any]:
    assert quality is not None
    return {"pq": quality.pq, "sq": quality.sq, "rq": quality.rq, "n": quality.n}


def test_panoptic_equals_the_official_evaluator(goldens: Path, agrees: Callable[..., None]) -> None:
    folder = goldens / "panoptic"
    truth = json.loads((folder / "gt.json").read_text())
    found = json.loads((folder / "pred.json").read_text())["annotations"]
    answers = {one["image_id"]: one for one in found}
    names = {one["id"]: bool(one["isthing"]) for one in truth["categories"]}
    meter = PanopticQuality(names, [name for name, is_thing in names.items() if is_thing])
    for goal in truth["annotations"]:
        guess = answers[goal["image_id"]]
        meter.add(
            ids(folder / "gt" / goal["file_name"]),
            segments(goal),
            ids(folder / "pred" / guess["file_name"]),
            segments(guess),
        )
    result = meter.result()
    per_class = {}
    for name, count in result.categories.items():
        pq, sq, rq = count.quality or (0.0, 0.0, 0.0)
        per_class[name] = {"pq": pq, "sq": sq, "rq": rq}
    agrees(
        {
            "All": means(result.all),
            "Things": means(result.things),
            "Stuff": means(result.stuff),
            "per_class": per_class,
            "counts": {
                name: {"iou": one.iou, "tp": one.tp, "fp": one.fp, "fn": one.fn}
                for name, one in result.categories.items()
            },
        }
    )
