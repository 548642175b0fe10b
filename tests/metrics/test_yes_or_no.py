"""POPE and MME: parsing yes and no, and what their scores add up to."""

import pytest

from vlseg_cli.evaluation.metrics.yes_or_no import MME, Pope, says_yes, yes_or_no


@pytest.mark.parametrize(
    ("answer", "yes"),
    [
        ("Yes", True),
        ("no", False),
        ("No, there is none.", False),
        ("NO", True),
        ("Nope", True),
        ("not sure", False),
        ("There is. No", True),
        ("", True),
    ],
)
def test_which_answers_are_yes(answer: str, yes: bool) -> None:
    assert says_yes(answer) is yes


def test_scores_by_hand() -> None:
    meter = Pope()
    for answer, truth in [("yes", True), ("yes", False), ("no", False), ("no", True)]:
        meter.add("random", answer, truth)
    meter.add("random", "yes", True)
    score = meter.result().categories["random"]
    assert (score.tp, score.fp, score.tn, score.fn) == (2, 1, 1, 1)
    assert (score.accuracy, score.precision, score.recall) == (0.6, 2 / 3, 2 / 3)
    assert (score.f1, score.yes_ratio) == (pytest.approx(2 / 3), 0.6)


def test_the_mean_is_over_categories_and_needs_each() -> None:
    meter = Pope()
    assert meter.result().f1 is None
    meter.add("random", "yes", True)
    meter.add("popular", "yes", False)
    assert meter.result().f1 == 0.5
    meter.add("adversarial", "no", False)
    assert meter.result().f1 is None


@pytest.mark.parametrize(
    ("answer", "word"),
    [("Yes", "yes"), ("No.", "no"), (" yes", "yes"), ("Nothing", "no"), ("It is yes", None)],
)
def test_the_first_four_characters_decide(answer: str, word: str | None) -> None:
    assert yes_or_no(answer) == word


def test_points_are_questions_plus_images() -> None:
    meter = MME()
    for image, answers in {"a.jpg": ("Yes", "No"), "b.jpg": ("Yes", "Yes")}.items():
        for answer, truth in zip(answers, ("Yes", "No"), strict=True):
            meter.add("count", image, answer, truth)
    meter.add("code_reasoning", "a.jpg", "no", "No")
    result = meter.result()
    assert result.tasks == {"count": 75 + 50, "code_reasoning": 200}
    assert (result.perception, result.cognition, result.total) == (125, 200, 325)
