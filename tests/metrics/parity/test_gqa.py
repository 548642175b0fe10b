"""GQA accuracy after LLaVA's and after InternVL's tidying."""

import json
from collections.abc import Callable
from pathlib import Path

from vlseg_cli.evaluation.metrics.vqa import GQAAccuracy


def test_gqa_equals_the_official_evaluator(goldens: Path, agrees: Callable[..., None]) -> None:
    llava, internvl = GQAAccuracy("period"), GQAAccuracy("spaces")
    for one in json.loads((goldens / "vqa" / "gqa.json").read_text()):
        llava.add(one["prediction"], one["answer"])
        internvl.add(one["prediction"], one["answer"])
    agrees(
        {
            "llava_convert_then_equal": llava.result().accuracy,
            "internvl_exact": internvl.result().accuracy,
        }
    )
