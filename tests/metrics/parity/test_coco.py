"""COCO AP of masks and boxes against pycocotools run on files: crowds, ties, empty masks."""

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pycocotools import mask as coco

from vlseg_cli.evaluation.metrics.average_precision import AveragePrecision, Detection, TrueInstance


def rle(segmentation: Any, image: dict[str, Any]) -> Any:
    size = image["height"], image["width"]
    if isinstance(segmentation, list):
        return coco.merge(coco.frPyObjects(segmentation, *size))
    if isinstance(segmentation["counts"], list):
        return coco.frPyObjects(segmentation, *size)
    return segmentation


def scores(folder: Path, kind: Any) -> dict[str, Any]:
    data = json.loads((folder / "instances.json").read_text())
    images = {image["id"]: image for image in data["images"]}
    truths, detections = defaultdict(list), defaultdict(list)

    def shape(one: dict[str, Any]) -> Any:
        if kind == "bbox":
            return tuple(one["bbox"])
        return rle(one["segmentation"], images[one["image_id"]])

    for one in data["annotations"]:
        truths[one["image_id"]].append(
            TrueInstance(one["category_id"], shape(one), one["area"], bool(one["iscrowd"]))
        )
    for one in json.loads((folder / f"results_{kind}.json").read_text()):
        detections[one["image_id"]].append(Detection(one["category_id"], shape(one), one["score"]))
    meter = AveragePrecision([one["id"] for one in data["categories"]])
    for image in images:
        meter.add(image, truths[image], detections[image])
    result = meter.result()
    return {**result.stats, "per_category_AP": result.per_category}


def test_coco_equals_the_official_evaluator(goldens: Path, agrees: Callable[..., None]) -> None:
    agrees({kind: scores(goldens / "coco", kind) for kind in ("segm", "bbox")})
