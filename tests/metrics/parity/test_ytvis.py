"""YouTube-VIS AP against youtubevos/cocoapi: absent frames, groups of tracks, both RLE kinds."""

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pycocotools import mask as coco

from vlseg_cli.evaluation.metrics.average_precision import Detection, TrueInstance
from vlseg_cli.evaluation.metrics.ytvis import VideoAveragePrecision, mean_area


def tube(segmentations: list[Any]) -> list[Any]:
    return [
        coco.frPyObjects(one, *one["size"]) if one and isinstance(one["counts"], list) else one
        for one in segmentations
    ]


def test_ytvis_equals_the_official_evaluator(goldens: Path, agrees: Callable[..., None]) -> None:
    folder = goldens / "ytvis"
    data = json.loads((folder / "instances.json").read_text())
    truths, detections = defaultdict(list), defaultdict(list)
    for one in data["annotations"]:
        truths[one["video_id"]].append(
            TrueInstance(
                one["category_id"],
                tube(one["segmentations"]),
                mean_area(one["areas"]),
                bool(one["iscrowd"]),
            )
        )
    for one in json.loads((folder / "results.json").read_text()):
        detections[one["video_id"]].append(
            Detection(one["category_id"], tube(one["segmentations"]), one["score"])
        )
    meter = VideoAveragePrecision([one["id"] for one in data["categories"]])
    for video in data["videos"]:
        meter.add(video["id"], truths[video["id"]], detections[video["id"]])
    result = meter.result()
    agrees({**result.stats, "per_category_AP": result.per_category})
