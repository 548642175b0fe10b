"""MMBench: letters as two papers read them, and rotations that must all be right."""

import pytest

from vlseg_cli.evaluation.metrics.mmbench import MMBench, letter_or_first, letter_or_text

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
def test_letters(answer: str, first: str, text: str) -> None:
    assert letter_or_first(answer, CHOICES) == first
    assert letter_or_text(answer, CHOICES) == text


def test_every_rotation_must_be_right() -> None:
    meter = MMBench()
    for index, letter in [(241, "A"), (1_000_241, "A"), (7, "A"), (1_000_007, "B")]:
        meter.add(index, letter, "A")
    result = meter.result()
    assert (result.circular_accuracy, result.row_accuracy, result.questions) == (0.5, 0.75, 2)
    assert MMBench().result().circular_accuracy is None
