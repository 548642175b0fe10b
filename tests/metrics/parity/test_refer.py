"""cIoU and gIoU against LISA's and PSALM's meters, for each way to make masks of polygons."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vlseg_cli.datasets.polygons import polygon_fill, polygon_sum, polygon_union
from vlseg_cli.evaluation.metrics.refer import PRECISIONS, MaskIoU
from vlseg_cli.schema import decode_rle

RULES: dict[str, Callable[..., Any]] = {
    "polygon_sum": lambda *polygons: polygon_sum(*polygons) == 1,
    "polygon_union": polygon_union,
    "cv2_fillpoly": polygon_fill,
}


def test_refer_equals_the_official_evaluator(goldens: Path, agrees: Callable[..., None]) -> None:
    samples = json.loads((goldens / "refer" / "samples.json").read_text())
    ours: dict[str, Any] = {}
    for name, rule in RULES.items():
        plain, reduced = MaskIoU(), MaskIoU(count_epsilon=1e-5)
        each = []
        for sample in samples:
            truth = rule(sample["segmentation"], sample["height"], sample["width"])
            score = plain.add(decode_rle(sample["pred"]), truth)
            reduced.add(decode_rle(sample["pred"]), truth)
            each.append({"I": score.intersection, "U": score.union, "iou": score.iou})
        result = plain.result()
        ours[name] = {
            "giou": reduced.result().giou,
            "giou_before_allreduce": result.giou,
            "ciou": result.ciou,
            "n": result.n,
            "per_sample": each,
        }
        if name == "cv2_fillpoly":
            ours["psalm"] = {"ciou": result.ciou, "giou": result.giou}
        if name == "polygon_union":
            ours["precision_at"] = {at: result.precision[at] for at in PRECISIONS}
    agrees(ours, float32=[*RULES, "psalm"])
