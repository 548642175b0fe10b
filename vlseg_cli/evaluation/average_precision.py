"""COCO average precision of boxes or masks, computed by pycocotools on lists held in memory.

The numbers are those of the reference evaluator itself; only its files and its printing are gone.
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

STATS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """The twelve COCO numbers and AP per category id, in [0, 1]; None where no truth exists."""

    stats: dict[str, float | None]
    per_category: dict[int, float | None]


def average_precision(
    truth: Mapping[str, Any],
    detections: Sequence[Mapping[str, Any]],
    kind: Literal["bbox", "segm"] = "bbox",
) -> AveragePrecision:
    """Score detections in the COCO results format against a COCO instances dictionary.

    truth: ``images`` (id, height, width), ``categories`` (id), ``annotations`` (image_id,
    category_id, area in px, bbox xywh in px, segmentation, iscrowd). detections: image_id,
    category_id, score in [0, 1], and bbox or segmentation as ``kind`` asks. Neither is changed.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    shape = "bbox" if kind == "bbox" else "segmentation"
    keys = ("image_id", "category_id", "score", shape)
    results = [{key: detection[key] for key in keys} for detection in detections]
    with contextlib.redirect_stdout(io.StringIO()):
        goal = _index(COCO(), {**truth, "annotations": [dict(a) for a in truth["annotations"]]})
        # loadRes cannot tell the kind of an empty list.
        empty = {**truth, "annotations": []}
        guess = goal.loadRes(results) if results else _index(COCO(), empty)
        evaluator = COCOeval(goal, guess, kind)
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    stats = {name: _known(value) for name, value in zip(STATS, evaluator.stats, strict=True)}
    return AveragePrecision(stats, _per_category(evaluator))


def _index(coco: Any, data: dict[str, Any]) -> Any:
    """Give an empty COCO object its data without a file."""
    coco.dataset = data
    coco.createIndex()
    return coco


def _per_category(evaluator: Any) -> dict[int, float | None]:
    """AP over all sizes at 100 detections; precision is (IoU, recall, category, area, dets)."""
    precision = evaluator.eval["precision"][:, :, :, 0, -1]
    found: dict[int, float | None] = {}
    for position, category in enumerate(evaluator.params.catIds):
        values = precision[:, :, position]
        known = values[values > -1]
        found[int(category)] = float(np.mean(known)) if known.size else None
    return found


def _known(value: float) -> float | None:
    """The evaluator writes -1 where there is nothing to find."""
    return float(value) if value > -1 else None
