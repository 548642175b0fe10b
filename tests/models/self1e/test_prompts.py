"""SELF1E's conversations: the authors' words, and what each token of them is."""

from itertools import pairwise

import numpy as np
import pytest

from vlseg_cli.models.self1e.prompts import (
    ANSWERS,
    IMAGE,
    SPECIAL_TOKENS,
    SELF1EPrompts,
    self1e_tokenizer,
    until_seg,
)
from vlseg_cli.schema import UsageError, WeightsError
from vlseg_cli.text.tokenizer import SEG, Tokenizer, word_tokenizer

WORDS = ["what", "keeps", "food", "cold", "the", "red", "cup", "a", "yes", "?"]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return self1e_tokenizer(WORDS)


@pytest.fixture(scope="module")
def prompts(tokenizer: Tokenizer) -> SELF1EPrompts:
    return SELF1EPrompts(tokenizer, "self1e", 4)


def spelled(tokenizer: Tokenizer, ids: np.ndarray) -> str:
    """Tokens with blanks between."""
    return " ".join(tokenizer.rust.id_to_token(int(one)) for one in ids)


def test_a_phrase_is_asked_as_the_authors_ask_it(
    prompts: SELF1EPrompts, tokenizer: Tokenizer
) -> None:
    asked = prompts.phrase("  The RED cup ")
    assert spelled(tokenizer, asked.ids) == (
        "<|im_start|> system you are an helpful assistant . <|im_end|> <|im_start|> user <img> "
        + f"{IMAGE} " * 4
        + "</img> what is the red cup in this image ? please output segmentation mask . <|im_end|> "
        "<|im_start|> assistant [SEG] . <|im_end|>"
    )


def test_a_question_is_asked_as_the_authors_ask_it(
    prompts: SELF1EPrompts, tokenizer: Tokenizer
) -> None:
    words = spelled(tokenizer, prompts.sentence("What keeps food cold?").ids)
    assert "</img> what keeps food cold ? please output segmentation mask . <|im_end|>" in words


def test_what_each_token_is(prompts: SELF1EPrompts, tokenizer: Tokenizer) -> None:
    asked = prompts.phrase("the cup", tiles=3)
    assert asked.image.sum() == 12 and asked.seg.sum() == 1
    assert spelled(tokenizer, asked.ids[asked.answer]) == "[SEG] . <|im_end|>"
    assert (np.diff(np.flatnonzero(asked.image)) == 1).all()


def test_every_turn_of_a_conversation_is_learned(
    prompts: SELF1EPrompts, tokenizer: Tokenizer
) -> None:
    talk = prompts.conversation([("what ?", "the cup"), ("cold ?", "yes")])
    assert spelled(tokenizer, talk.ids[talk.answer]) == "the cup <|im_end|> yes <|im_end|>"
    assert talk.image.sum() == 4


def test_nothing_after_seg_is_read(prompts: SELF1EPrompts) -> None:
    asked = prompts.phrase("the cup")
    cut = until_seg(asked)
    assert cut.seg[-1] and len(cut.ids) == len(asked.ids) - 2
    assert np.array_equal(cut.ids, asked.ids[: len(cut.ids)])


def test_training_draws_from_all_wordings(prompts: SELF1EPrompts, tokenizer: Tokenizer) -> None:
    rng = np.random.default_rng(0)
    for is_sentence, wordings in ((False, 4), (True, 2)):
        drawn = {
            spelled(tokenizer, prompts.training("the cup", rng, is_sentence).ids)
            for _ in range(200)
        }
        assert len(drawn) == wordings * len(ANSWERS)


def test_an_answer_that_was_generated(prompts: SELF1EPrompts, tokenizer: Tokenizer) -> None:
    asked = prompts.question("what ?")
    said = [*tokenizer.ids("the cup"), prompts.end, prompts.end]
    whole, words = prompts.with_answer(asked, said)
    assert words == "the cup"
    assert np.array_equal(whole.ids[: len(asked.ids)], asked.ids)
    assert spelled(tokenizer, whole.ids[whole.answer]) == "the cup <|im_end|>"
    masked, _ = prompts.with_answer(asked, tokenizer.ids(f"the {SEG} cup"))
    assert masked.seg.sum() == 1 and masked.answer[masked.seg].all()
    confused, _ = prompts.with_answer(asked, [prompts.image, tokenizer.seg])
    assert np.array_equal(confused.image[: len(asked.ids)], asked.image)
    assert confused.image.sum() == asked.image.sum()


def test_a_miniature_may_be_asked_in_few_words(tokenizer: Tokenizer) -> None:
    plain = SELF1EPrompts(tokenizer, "plain", 1)
    expected = f"<img> {IMAGE} </img> the cup <|im_end|> [SEG]"
    for asked in (plain.phrase("The cup"), plain.sentence("the cup")):
        assert spelled(tokenizer, asked.ids) == expected
        assert spelled(tokenizer, asked.ids[asked.answer]) == SEG


def test_no_word_has_the_id_that_pads(tokenizer: Tokenizer) -> None:
    assert tokenizer.rust.id_to_token(0) == "<|endoftext|>"
    assert 0 not in [tokenizer.rust.token_to_id(mark) for mark in (*SPECIAL_TOKENS, SEG)]
    ids = [tokenizer.ids(text)[0] for text in ("cup", "xylophone", ".")]
    assert all(a != b for a, b in pairwise([0, *ids]))


@pytest.mark.parametrize("mark", [*SPECIAL_TOKENS, SEG])
def test_marks_are_no_words_of_a_user(prompts: SELF1EPrompts, mark: str) -> None:
    for ask in (prompts.phrase, prompts.sentence, prompts.question):
        with pytest.raises(UsageError, match="is a special token"):
            ask(f"the {mark} cup")


def test_a_tokenizer_of_another_system() -> None:
    with pytest.raises(WeightsError, match=r"lacks <\|im_start\|>, <\|im_end\|>, <img>"):
        SELF1EPrompts(word_tokenizer(WORDS), "self1e", 4)
