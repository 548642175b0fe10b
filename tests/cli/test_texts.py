"""Which words are inputs and which is the sentence."""

from pathlib import Path

import pytest

from vlseg_cli.cli.texts import split_sentences
from vlseg_cli.schema import UsageError


def test_the_last_word_is_the_sentence() -> None:
    assert split_sentences(["a.png", "b.png", " the cup "], None, "expression") == (
        ["a.png", "b.png"],
        ["the cup"],
    )


def test_with_text_all_words_are_inputs() -> None:
    inputs, sentences = split_sentences(["a.png", "b.png"], ["one", "two"], "question")
    assert (inputs, sentences) == (["a.png", "b.png"], ["one", "two"])


def test_a_question_mark_is_no_pattern() -> None:
    assert split_sentences(["a.png", "what is [it]?"], None, "question")[1] == ["what is [it]?"]


@pytest.mark.parametrize(
    ("words", "texts", "message"),
    [
        ([], None, "no input and no question"),
        (["what?"], None, "no input before"),
        (["a.png", "  "], None, "is empty"),
        (["a.png"], ["one", ""], "is empty"),
    ],
)
def test_missing_parts(words: list[str], texts: list[str] | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        split_sentences(words, texts, "question")


def test_a_file_at_the_end_means_a_forgotten_sentence(tmp_path: Path) -> None:
    path = tmp_path / "b.png"
    path.touch()
    with pytest.raises(UsageError, match="put the question last"):
        split_sentences(["a.png", str(path)], None, "question")


def test_a_sentence_too_long_for_a_file_name_is_still_a_sentence() -> None:
    long = "where " * 2000
    assert split_sentences(["a.png", long], None, "question")[1] == [long.strip()]
