"""ReasonSeg's masks and scores against LISA, LLM-Seg and HyperSeg: ignored and empty targets."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from vlseg_cli.datasets.reasonseg import shape_masks
from vlseg_cli.evaluation.metrics.refer import MaskIoU
from vlseg_cli.schema import decode_rle


def test_reasonseg_equals_the_official_evaluator(
    goldens: Path, agrees: Callable[..., None]
) -> None:
    folder = goldens / "reasonseg"
    answers = json.loads((folder / "pred.json").read_text())
    plain, reduced = MaskIoU(), MaskIoU(count_epsilon=1e-5)
    llmseg, hyperseg = MaskIoU(union_epsilon=1e-8, count_epsilon=1e-5), MaskIoU()
    each: dict[str, Any] = {}
    for path in sorted((folder / "val").glob("*.jpg")):
        record = json.loads(path.with_suffix(".json").read_text())
        with Image.open(path) as image:
            width, height = image.size
        target, ignore = shape_masks(record["shapes"], height, width)
        answer = decode_rle(answers[path.stem])
        score = plain.add(answer, target, ignore)
        reduced.add(answer, target, ignore)
        llmseg.add(answer, target, ignore)
        blind = shape_masks(record["shapes"], height, width, ignore_is_background=True)
        hyperseg.add(answer, blind.target)
        each[path.stem] = {
            "I": score.intersection,
            "U": score.union,
            "iou": score.iou,
            "is_sentence": record["is_sentence"],
            "n_ignore": int(ignore.sum()),
            "n_target": int(target.sum()),
            "text": record["text"],
        }
    result = plain.result()
    ours = {
        "lisa": {
            "ciou": result.ciou,
            "giou": reduced.result().giou,
            "giou_before_allreduce": result.giou,
            "n": result.n,
        },
        "llmseg": {"ciou": llmseg.result().ciou, "giou": llmseg.result().giou},
        "hyperseg": {"ciou": hyperseg.result().ciou, "giou": hyperseg.result().giou},
        "per_image": each,
    }
    agrees(ours, float32=ours)
