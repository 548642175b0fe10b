"""MMBench and ScienceQA: which letter an answer has, and which questions count."""

import pytest

from vlseg_cli.evaluation.metrics.multiple_choice import (
    MMBench,
    ScienceQA,
    chosen_letter,
    letter_or_first,
    letter_or_text,
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


def test_questions_with_an_image_have_their_own_accuracy() -> None:
    meter = ScienceQA()
    assert meter.add("A", truth=0, choices=2, has_image=True)
    assert not meter.add("B", truth=0, choices=2, has_image=False)
    result = meter.result()
    assert (result.accuracy, result.image_accuracy, result.correct, result.n) == (0.5, 1, 1, 2)
    assert ScienceQA().result().image_accuracy is None
