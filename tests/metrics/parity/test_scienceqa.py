"""ScienceQA against LLaVA's evaluator: letters, sentences, answers that fail or are missing."""

import json
from collections.abc import Callable
from pathlib import Path

from vlseg_cli.evaluation.metrics.choices import ScienceQA


def test_scienceqa_equals_the_official_evaluator(
    goldens: Path, agrees: Callable[..., None]
) -> None:
    folder = goldens / "vqa" / "sqa"
    problems = json.loads((folder / "problems.json").read_text())
    records = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    answers = {record["question_id"]: record for record in records}
    meter, with_image = ScienceQA(), ScienceQA()
    right = 0
    for number in json.loads((folder / "pid_splits.json").read_text())["test"]:
        # The evaluator knows of images by the answer's prompt: a missing answer has none.
        answer = answers.get(number, {"text": "FAILED", "prompt": "Unknown"})
        problem = problems[number]
        meters = [meter, with_image] if "<image>" in answer["prompt"] else [meter]
        for one in meters:
            correct = one.add(answer["text"], problem["answer"], len(problem["choices"]))
        right += correct
    result, image = meter.result(), with_image.result()
    assert result.accuracy is not None and image.accuracy is not None
    agrees(
        {
            "correct": right,
            "count": result.n,
            "acc_percent": 100 * result.accuracy,
            "img_acc_percent": 100 * image.accuracy,
        }
    )
