"""cIoU and mIoU over regions against PSALM's evaluation of COCO-Interactive."""

import json
from collections.abc import Callable
from pathlib import Path

from metrics.proposals import best_proposal

from vlseg_cli.evaluation.metrics.refer import MaskIoU
from vlseg_cli.schema import decode_rle


def test_interactive_equals_the_official_evaluator(
    goldens: Path, agrees: Callable[..., None]
) -> None:
    meter = MaskIoU()
    for sample in json.loads((goldens / "interactive" / "samples.json").read_text()):
        masks = [decode_rle(rle) for rle in sample["candidates"]]
        for truth, scores in zip(sample["gt"], sample["scores"], strict=True):
            meter.add(best_proposal(masks, scores), decode_rle(truth))
    result = meter.result()
    agrees(
        {"ciou": result.ciou, "miou": result.giou, "n_regions": result.n},
        float32=["ciou", "miou"],
    )
