"""MME's points against its own calculation, from result files of its format."""

from collections.abc import Callable
from pathlib import Path

from vlseg_cli.evaluation.metrics.choices import COGNITION, MME, PERCEPTION


def test_mme_equals_the_official_evaluator(goldens: Path, agrees: Callable[..., None]) -> None:
    meter = MME()
    for file in (goldens / "vqa" / "mme").glob("*.txt"):
        for line in file.read_text().splitlines():
            image, _, truth, answer = line.split("\t")
            meter.add(file.stem, image, answer, truth)
    result = meter.result()
    agrees(
        {
            "Perception": {
                **{task: result.tasks[task] for task in PERCEPTION},
                "total": result.perception,
            },
            "Cognition": {
                **{task: result.tasks[task] for task in COGNITION},
                "total": result.cognition,
            },
        }
    )
