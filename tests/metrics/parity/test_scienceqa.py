"""ScienceQA against LLaVA's evaluator: letters, sentences, answers that fail or are missing."""

import json
from collections.abc import Callable
from pathlib import Path

from vlseg_cli.evaluation.metrics.multiple_choice import ScienceQA


def test_scienceqa_equals_the_official_evaluator(
    goldens: Path, agrees: Callable[..., None]
) -> None:
    folder = goldens / "vqa" / "sqa"
    problems = json.loads((folder / "problems.json").read_text())
    records = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    answers = {record["question_id"]: record for record in records}
    meter = ScienceQA()
    for number in json.loads((folder / "pid_splits.json").read_text())["test"]:
        # The evaluator knows of images by the answer's prompt: a missing answer has none.
        answer = answers.get(number, {"text": "FAILED", "prompt": "Unknown"})
        problem = problems[number]
        has_image = "<image>" in answer["prompt"]
        meter.add(answer["text"], problem["answer"], len(problem["choices"]), has_image)
    result = meter.result()
    assert result.accuracy is not None and result.image_accuracy is not None
    agrees(
        {
            "correct": result.correct,
            "count": result.n,
            "acc_percent": 100 * result.accuracy,
            "img_acc_percent": 100 * result.image_accuracy,
        }
    )
