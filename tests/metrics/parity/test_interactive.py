"""cIoU and mIoU over regions against PSALM's evaluation of COCO-Interactive."""

import json
from collections.abc import Callable
from pathlib import Path

from metrics.proposals import best_proposal

from vlseg_cli.evaluation.metrics.interactive import InteractiveIoU
from vlseg_cli.schema import decode_rle


def test_interactive_equals_the_official_evaluator(
    goldens: Path, agrees: Callable[..., None]
) -> None:
    meter = InteractiveIoU()
    for sample in json.loads((goldens / "interactive" / "samples.json").read_text()):
        masks = [decode_rle(rle) for rle in sample["candidates"]]
        for truth, scores in zip(sample["gt"], sample["scores"], strict=True):
            meter.add("point", best_proposal(masks, scores), decode_rle(truth))
    result = meter.result()["point"]
    agrees(
        {"ciou": result.ciou, "miou": result.miou, "n_regions": result.n},
        float32=["ciou", "miou"],
    )
