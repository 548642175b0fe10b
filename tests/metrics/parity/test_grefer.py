"""Generalized referring against gRefCOCO's evaluator, PSALM's threshold and LISA's meters."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from metrics.proposals import union_above

from vlseg_cli.evaluation.metrics.refer import GeneralizedMaskIoU, MaskIoU
from vlseg_cli.schema import decode_rle

THRESHOLD = 0.6


def test_grefer_equals_the_official_evaluator(goldens: Path, agrees: Callable[..., None]) -> None:
    official, psalm = GeneralizedMaskIoU(), MaskIoU()
    lisa, reduced = MaskIoU(), MaskIoU(count_epsilon=1e-5)
    each = []
    for sample in json.loads((goldens / "grefer" / "samples.json").read_text()):
        truth, answer = decode_rle(sample["gt"]), decode_rle(sample["pred"])
        official.add(answer, truth, sample["pred_no_target"], sample["gt_no_target"])
        masks = [decode_rle(rle) for rle in sample["candidates"]]
        psalm.add(union_above(masks, sample["scores"], THRESHOLD), truth)
        score = lisa.add(answer, truth)
        reduced.add(answer, truth)
        each.append({"I": score.intersection, "U": score.union, "iou": score.iou})
    flagged, plain = official.result(), lisa.result()
    assert flagged.ciou is not None and flagged.giou is not None
    precision = {f"Pr@{at}": 100 * float(value or 0) for at, value in flagged.precision.items()}
    ours: dict[str, Any] = {
        "official": {
            "cIoU": 100 * flagged.ciou,
            "gIoU": 100 * flagged.giou,
            "N_acc": flagged.n_accuracy,
            "T_acc": flagged.t_accuracy,
            **precision,
        },
        "psalm": {"ciou": psalm.result().ciou, "giou": psalm.result().giou, "thr": THRESHOLD},
        "lisa": {
            "ciou": plain.ciou,
            "giou": reduced.result().giou,
            "giou_before_allreduce": plain.giou,
            "n": plain.n,
            "per_sample": each,
        },
    }
    agrees(ours, float32=["psalm", "lisa"])
