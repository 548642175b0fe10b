"""Text to ids and back, unknown words, and an equal tokenizer from a file."""

import string
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as RustTokenizer
from tokenizers import models

from vlseg_cli.schema import WeightsError
from vlseg_cli.synthetic.vocabulary import split
from vlseg_cli.text.tokenizer import (
    END,
    SEG,
    UNKNOWN,
    Tokenizer,
    miniature_tokenizer,
    subword_tokenizer,
    word_tokenizer,
)
from vlseg_cli.training.vocabulary import synthetic_vocabulary


def tokens(tokenizer: Tokenizer, text: str) -> list[str]:
    return [tokenizer.rust.id_to_token(i) for i in tokenizer.ids(text)]


def test_words_and_single_marks_in_any_case(words: Tokenizer) -> None:
    assert tokens(words, "  The CAT,the dog?? ") == ["the", "cat", ",", "the", "dog", "?", "?"]


def test_unknown_words_become_unk(words: Tokenizer) -> None:
    assert tokens(words, "the zebra; ça!") == ["the", UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]
    assert words.unknown == words.ids("zebra")[0]


def test_nothing_is_no_token(words: Tokenizer) -> None:
    assert words.ids("") == words.ids(" \n\t") == []


def test_special_marks_are_ids_of_their_own(words: Tokenizer, bytes_tokenizer: Tokenizer) -> None:
    for tokenizer in (words, bytes_tokenizer):
        assert tokenizer.ids(SEG) == [tokenizer.seg]
        assert tokenizer.ids(f"\n{SEG}")[-1] == tokenizer.seg
        assert tokenizer.ids(END) == [tokenizer.rust.token_to_id(END)]
    assert bytes_tokenizer.unknown is None


@settings(max_examples=50, deadline=None)
@given(st.text(string.printable + "éüÑß—…", max_size=30))
def test_the_tokenizer_splits_as_the_vocabulary_does(text: str) -> None:
    """Every token of a text is known if its own words are the vocabulary; marks are no words."""
    assume(not any(mark in text for mark in (SEG, UNKNOWN, END)))
    pieces = split(text)
    tokenizer = word_tokenizer(pieces)
    assert tokenizer.ids(text) == [tokenizer.rust.token_to_id(piece) for piece in pieces]
    assert tokenizer.unknown not in tokenizer.ids(text)


def test_a_word_given_twice_is_one_token() -> None:
    tokenizer = word_tokenizer(["cat", "dog", "cat", "bird"])
    assert len(tokenizer) == 6
    assert max(tokenizer.ids("cat dog bird")) == 5


@settings(max_examples=20, deadline=None)
@given(text=st.text(alphabet="catdogthe ,?!\né[]", max_size=20))
def test_a_file_gives_the_same_tokenizer(
    text: str,
    words: Tokenizer,
    bytes_tokenizer: Tokenizer,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    for name, tokenizer in (("words", words), ("bytes", bytes_tokenizer)):
        file = tmp_path_factory.getbasetemp() / f"{name}.json"
        tokenizer.save(file)
        again = Tokenizer.load(file)
        assert again.ids(text) == tokenizer.ids(text)
        assert (again.seg, again.unknown, len(again)) == (
            tokenizer.seg,
            tokenizer.unknown,
            len(tokenizer),
        )


@pytest.mark.parametrize("content", [None, "", "{}", '{"model": 3}', "\x00\x01"])
def test_a_damaged_file_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "tokenizer.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(WeightsError, match=r"cannot read the tokenizer .*tokenizer\.json"):
        Tokenizer.load(file)


def test_a_tokenizer_without_seg_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    RustTokenizer(models.WordLevel({"cat": 0}, unk_token="cat")).save(str(file))
    with pytest.raises(WeightsError, match=r"no \[SEG\] token"):
        Tokenizer.load(file)


def test_unknown_words_are_named_as_typed(words: Tokenizer, bytes_tokenizer: Tokenizer) -> None:
    assert words.unknown_words("The CAT; the Zebra!") == ["Zebra"]
    assert words.unknown_words("the cat") == []
    assert bytes_tokenizer.unknown_words("a Zebra") == []


@pytest.fixture(scope="module")
def subwords() -> Tokenizer:
    vocabulary = synthetic_vocabulary("wide")
    return miniature_tokenizer(vocabulary.words, vocabulary.unknown)


def test_a_subword_tokenizer_has_whole_words_and_at_most_4096_pieces(subwords: Tokenizer) -> None:
    for word in synthetic_vocabulary("wide").words:
        assert len(subwords.ids(word)) == 1, word
    assert len(subwords) <= 4096


@pytest.mark.parametrize(
    "text",
    ["What keeps food cold?", "the zebra, a florp", "red-colored café", "猫 \u00b5", "x" * 90],
)
def test_a_subword_tokenizer_gives_back_any_text(text: str, subwords: Tokenizer) -> None:
    ids = subwords.ids(text)
    assert subwords.unknown not in ids
    assert split(subwords.text(ids)) == split(text)


def test_words_in_pieces_are_unknown_ones(subwords: Tokenizer) -> None:
    assert subwords.unknown_words("The dog; the Zebra and a florp!") == ["Zebra", "florp"]
    assert len(subwords.ids("zebra")) > 1
    assert subwords.unknown_words("what keeps food cold?") == []


def test_the_same_words_make_the_same_subword_tokenizer(tmp_path: Path) -> None:
    first, second = (subword_tokenizer(["cup", "cups"], ["zebra", "zebu"]) for _ in range(2))
    first.save(tmp_path / "tokenizer.json")
    assert first.rust.to_str() == second.rust.to_str()
    text = "a cup, a zebra [SEG]"
    assert Tokenizer.load(tmp_path / "tokenizer.json").ids(text) == second.ids(text)
    assert second.ids(text)[-1] == second.seg
