"""MMBench, ScienceQA, POPE and MME: how answers are parsed, and what their scores add up to."""

import pytest

from vlseg_cli.evaluation.metrics.choices import (
    MME,
    MMBench,
    Pope,
    ScienceQA,
    chosen_letter,
    letter_or_first,
    letter_or_text,
    says_yes,
    yes_or_no,
)

CHOICES = {"A": "a cat", "B": "a dog", "C": "Both"}


@pytest.mark.parametrize(
    ("answer", "first", "text"),
    [
        ("B", "B", "B"),
        ("B. a dog", "B", "B"),
        ("It is a dog", "A", "B"),
        ("D", "A", "D"),
        ("nothing", "A", "nothing"),
        (" C", "A", "C"),
        ("", "A", ""),
    ],
)
def test_letters_of_mmbench(answer: str, first: str, text: str) -> None:
    assert letter_or_first(answer, CHOICES) == first
    assert letter_or_text(answer, CHOICES) == text


def test_every_rotation_must_be_right() -> None:
    meter = MMBench()
    for index, letter in [(241, "A"), (1_000_241, "A"), (7, "A"), (1_000_007, "B")]:
        meter.add(index, letter, "A")
    result = meter.result()
    assert (result.circular_accuracy, result.row_accuracy, result.questions) == (0.5, 0.75, 2)
    assert MMBench().result().circular_accuracy is None


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("B", "B"),
        ("B. a whale", "B"),
        ("The answer is C.", "C"),
        ("So: The answer is C, surely", "C"),
        ("The answer is C", None),
        ("The answer is A. The answer is A.", None),
        ("b", None),
        ("F", None),
        ("B.", None),
        ("FAILED", None),
        ("", None),
    ],
)
def test_letters_of_scienceqa(answer: str, letter: str | None) -> None:
    assert chosen_letter(answer) == letter


def test_a_letter_beyond_the_choices_is_wrong() -> None:
    meter = ScienceQA()
    assert meter.add("A", truth=0, choices=2)
    assert not meter.add("C", truth=2, choices=2)
    assert (meter.result().accuracy, meter.result().n) == (0.5, 2)
    assert ScienceQA().result().accuracy is None


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
