"""Semantic scores against detectron2: ignored pixels, absent and only predicted classes."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from vlseg_cli.evaluation.metrics.semantic import SemanticIoU


def percent(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else 100 * float(value)


def test_semseg_equals_the_official_evaluator(goldens: Path, agrees: Callable[..., None]) -> None:
    folder = goldens / "semseg"
    meta = json.loads((folder / "meta.json").read_text())
    names = meta["class_names"]
    meter = SemanticIoU(len(names), boundaries=True)
    for file in sorted((folder / "gt").iterdir()):
        truth = np.asarray(Image.open(file), np.int64)
        truth = np.where(truth == meta["ignore_label"], -1, truth)
        meter.add(np.asarray(Image.open(folder / "pred" / file.name)), truth)
    result = meter.result()
    assert result.boundary_iou is not None
    ours = {
        "mIoU": percent(result.miou),
        "fwIoU": percent(result.frequency_weighted_iou),
        "mACC": percent(result.mean_accuracy),
        "pACC": percent(result.pixel_accuracy),
        "confusion_pred_by_gt": result.confusion.tolist(),
    }
    rows = zip(names, result.iou, result.accuracy, result.boundary_iou, strict=True)
    for name, iou, accuracy, boundary in rows:
        ours[f"IoU-{name}"] = percent(iou)
        ours[f"ACC-{name}"] = percent(accuracy)
        ours[f"BoundaryIoU-{name}"] = percent(boundary)
        ours[f"min(IoU, B-Iou)-{name}"] = percent(min(iou, boundary))
    agrees(ours)
