"""The evaluators' rewriting of answers, slip by slip."""

import pytest

from vlseg_cli.evaluation.metrics.vqa import m4c_words, plain_words, strip_punctuation


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
def test_words(text: str, plain: str) -> None:
    assert plain_words(text) == plain


@pytest.mark.parametrize(
    ("text", "words"),
    [("A Man's Hat?\n", "man 's hat"), ("Yes, two.", "yes 2"), ("1,000", "1000"), ("", "")],
)
def test_the_whole_of_m4c(text: str, words: str) -> None:
    assert m4c_words(text) == words
