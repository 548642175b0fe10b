"""Box accuracy against pycocotools' IoU and MDETR's generalized one."""

import json
from collections.abc import Callable
from pathlib import Path

from vlseg_cli.evaluation.metrics.rec import BoxAccuracy


def test_rec_equals_the_official_evaluator(goldens: Path, agrees: Callable[..., None]) -> None:
    plain, strict = BoxAccuracy(), BoxAccuracy(strict=True)
    generalized = BoxAccuracy(generalized=True)
    ious = []
    for sample in json.loads((goldens / "rec" / "samples.json").read_text()):
        x0, y0, x1, y1 = sample["pred_xyxy"]
        boxes = (x0, y0, x1 - x0, y1 - y0), tuple(sample["bbox_xywh"])
        ious.append(plain.add(*boxes))
        strict.add(*boxes)
        generalized.add(*boxes)
    agrees(
        {
            "iou": ious,
            "acc_iou_ge_0_5": plain.result().accuracy,
            "acc_iou_gt_0_5": strict.result().accuracy,
            "mdetr_giou_acc": generalized.result().accuracy,
        }
    )
