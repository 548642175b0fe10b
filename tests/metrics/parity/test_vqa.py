"""VQA accuracies against the VQA API and M4C's evaluator: unanimous people, odd punctuation."""

import json
from collections.abc import Callable
from pathlib import Path

from vlseg_cli.evaluation.metrics.vqa import SoftAccuracy, VQAAccuracy, m4c_words

DECIMALS = 6  # the API rounds percents; the official numbers were made with six digits


def test_vqa_equals_the_official_evaluator(goldens: Path, agrees: Callable[..., None]) -> None:
    folder = goldens / "vqa"
    answers = json.loads((folder / "results.json").read_text())
    questions = json.loads((folder / "annotations.json").read_text())["annotations"]
    people = {one["question_id"]: [a["answer"] for a in one["answers"]] for one in questions}
    official, soft = VQAAccuracy(), SoftAccuracy()
    words, percents, scores, exact = {}, {}, {}, []
    for one in answers:
        question, answer = one["question_id"], one["answer"]
        words[question] = m4c_words(answer)
        percents[question] = round(100 * official.add(answer, people[question]), DECIMALS)
        scores[question] = soft.add(answer, people[question])
        exact.append(words[question] in map(m4c_words, people[question]))
    accuracy = official.result().accuracy
    assert accuracy is not None
    agrees(
        {
            "vqav2_official_percent": round(100 * accuracy, DECIMALS),
            "per_question_official_percent": percents,
            "m4c_textvqa": soft.result().accuracy,
            "m4c_per_question": scores,
            "stvqa_exact": sum(exact) / len(exact),
            "normalised_m4c": words,
        }
    )
