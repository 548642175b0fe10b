"""VQA accuracies and GQA's: how answers are rewritten, compared and averaged."""

import pytest

from vlseg_cli.evaluation.metrics.vqa import (
    GQAAccuracy,
    SoftAccuracy,
    VQAAccuracy,
    m4c_words,
    plain_words,
    strip_punctuation,
)
from vlseg_cli.schema import InputError


@pytest.mark.parametrize(
    ("matches", "score"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (10, 1)]
)
def test_the_score_grows_with_agreeing_annotators(matches: int, score: float) -> None:
    people = ["cat"] * matches + [f"dog {n}" for n in range(10 - matches)]
    assert VQAAccuracy().add("cat", people) == score
    assert SoftAccuracy().add("cat", people) == score


def test_only_the_vqa_api_matches_unanimous_annotators_literally() -> None:
    assert VQAAccuracy().add("YES", ["yes"] * 10) == 0
    assert VQAAccuracy().add(" yes\n", ["yes"] * 10) == 1
    assert VQAAccuracy().add("YES", ["yes"] * 9 + ["no"]) == 1
    assert SoftAccuracy().add("YES", ["yes"] * 10) == 1


def test_results() -> None:
    soft = SoftAccuracy()
    soft.add("cat", ["cat"] + ["dog"] * 9)
    soft.add("cow", ["dog"] * 10)
    assert (soft.result().accuracy, soft.result().n) == (0.15, 2)
    assert VQAAccuracy().result().accuracy is None


def test_too_few_annotators_are_an_error() -> None:
    with pytest.raises(InputError, match="needs 10"):
        SoftAccuracy().add("cat", ["cat"] * 9)
    with pytest.raises(InputError, match="needs 1"):
        VQAAccuracy().add("cat", [])
    assert VQAAccuracy().add("cat", ["cat"]) == 0  # nobody is left to agree


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("left/right", "left right"),
        ("left /right", "left right"),  # beside a space: gone without trace
        ("left/ right, up/down", "left right updown"),
        ("1,000", "1000"),
        ("1,000 of a-b", "1000 of ab"),  # a number like 1,000 makes every mark vanish
        ("u.s.", "us"),
        ("3.5", "3.5"),
        ("5.", "5"),
        ("10:30", "10:30"),
        ("stop!", "stop "),
        ("." * 40, "." * 8),
    ],
)
def test_punctuation(text: str, stripped: str) -> None:
    assert strip_punctuation(text) == stripped


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("The cat and a DOG", "cat and dog"),
        ("none zero ten eleven", "0 0 10 eleven"),
        ("dont", "don't"),
        ("couldnt've couldn'tve couldntve", "couldn't've couldn't've couldntve"),
        ("ow's'at 'ow'sat", "'ow's'at 'ow's'at"),
        ("somebody'd", "somebodyd"),
        ("Im", "im"),  # in the table with a capital, which no lowered word has
    ],
)
def test_numbers_articles_and_contractions(text: str, plain: str) -> None:
    assert plain_words(text) == plain


@pytest.mark.parametrize(
    ("text", "words"),
    [("A Man's Hat?\n", "man 's hat"), ("Yes, two.", "yes 2"), ("1,000", "1000"), ("", "")],
)
def test_all_of_m4c_processing(text: str, words: str) -> None:
    assert m4c_words(text) == words


@pytest.mark.parametrize(
    ("answer", "period", "spaces"),
    [
        ("Left.", True, False),
        (" left ", False, True),
        ("LEFT", True, True),
        ("right", False, False),
    ],
)
def test_gqa_normalizes_answers(answer: str, period: bool, spaces: bool) -> None:
    assert GQAAccuracy().add(answer, "left") is period
    assert GQAAccuracy("spaces").add(answer, "left") is spaces


def test_no_prediction_has_no_score() -> None:
    assert GQAAccuracy().result().accuracy is None
