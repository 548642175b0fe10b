"""MME: yes and no in four characters, and pairs of questions."""

import pytest

from vlseg_cli.evaluation.metrics.mme import MME, yes_or_no


@pytest.mark.parametrize(
    ("answer", "word"),
    [("Yes", "yes"), ("No.", "no"), (" yes", "yes"), ("Nothing", "no"), ("It is yes", None)],
)
def test_the_first_four_characters_decide(answer: str, word: str | None) -> None:
    assert yes_or_no(answer) == word


def test_points_are_questions_plus_pictures() -> None:
    meter = MME()
    for picture, answers in {"a.jpg": ("Yes", "No"), "b.jpg": ("Yes", "Yes")}.items():
        for answer, truth in zip(answers, ("Yes", "No"), strict=True):
            meter.add("count", picture, answer, truth)
    meter.add("code_reasoning", "a.jpg", "no", "No")
    result = meter.result()
    assert result.tasks == {"count": 75 + 50, "code_reasoning": 200}
    assert (result.perception, result.cognition, result.total) == (125, 200, 325)
