"""ScienceQA: where a letter is found, and whose questions have a picture."""

import pytest

from vlseg_cli.evaluation.metrics.scienceqa import ScienceQA, chosen_letter


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
def test_letters(answer: str, letter: str | None) -> None:
    assert chosen_letter(answer) == letter


def test_pictures_have_an_accuracy_of_their_own() -> None:
    meter = ScienceQA()
    assert meter.add("A", truth=0, choices=2, has_image=True)
    assert not meter.add("B", truth=0, choices=2, has_image=False)
    result = meter.result()
    assert (result.accuracy, result.image_accuracy, result.correct, result.n) == (0.5, 1, 1, 2)
    assert ScienceQA().result().image_accuracy is None
