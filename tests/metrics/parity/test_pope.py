"""POPE against LLaVA's evaluator; answers meet labels by their order."""

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vlseg_cli.evaluation.metrics.choices import Pope


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_pope_equals_the_official_evaluator(goldens: Path, agrees: Callable[..., None]) -> None:
    folder = goldens / "vqa" / "pope"
    questions = {one["question_id"]: one for one in lines(folder / "questions.jsonl")}
    answers = defaultdict(list)
    for one in json.loads((folder / "answers.json").read_text()):
        answers[questions[one["question_id"]]["category"]].append(one["text"])
    meter = Pope()
    for category, texts in answers.items():
        labels = lines(folder / "coco" / f"coco_pope_{category}.json")
        for text, label in zip(texts, labels, strict=True):
            meter.add(category, text, label["label"] == "yes")
    result = meter.result()
    assert result.f1 is not None
    ours: dict[str, Any] = {
        category: {
            "TP": score.tp,
            "FP": score.fp,
            "TN": score.tn,
            "FN": score.fn,
            "Accuracy": score.accuracy,
            "Precision": score.precision,
            "Recall": score.recall,
            "F1 score": score.f1,
            "Yes ratio": score.yes_ratio,
        }
        for category, score in result.categories.items()
    }
    agrees({**ours, "overall_f1_percent": 100 * result.f1})
