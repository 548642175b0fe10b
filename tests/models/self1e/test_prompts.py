"""SELF1E's conversations: the authors' prompts, and the role of each token."""

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


def token_text(tokenizer: Tokenizer, ids: np.ndarray) -> str:
    """Tokens joined by spaces."""
    return " ".join(tokenizer.rust.id_to_token(int(one)) for one in ids)


def test_a_phrase_uses_the_prompt_of_the_authors(
    prompts: SELF1EPrompts, tokenizer: Tokenizer
) -> None:
    conversation = prompts.phrase("  The RED cup ")
    assert token_text(tokenizer, conversation.ids) == (
        "<|im_start|> system you are an helpful assistant . <|im_end|> <|im_start|> user <img> "
        + f"{IMAGE} " * 4
        + "</img> what is the red cup in this image ? please output segmentation mask . <|im_end|> "
        "<|im_start|> assistant [SEG] . <|im_end|>"
    )


def test_a_question_uses_the_prompt_of_the_authors(
    prompts: SELF1EPrompts, tokenizer: Tokenizer
) -> None:
    words = token_text(tokenizer, prompts.sentence("What keeps food cold?").ids)
    assert "</img> what keeps food cold ? please output segmentation mask . <|im_end|>" in words


def test_token_roles(prompts: SELF1EPrompts, tokenizer: Tokenizer) -> None:
    conversation = prompts.phrase("the cup", tiles=3)
    assert conversation.image.sum() == 12 and conversation.seg.sum() == 1
    assert token_text(tokenizer, conversation.ids[conversation.answer]) == "[SEG] . <|im_end|>"
    assert (np.diff(np.flatnonzero(conversation.image)) == 1).all()


def test_every_turn_of_a_conversation_is_supervised(
    prompts: SELF1EPrompts, tokenizer: Tokenizer
) -> None:
    conversation = prompts.conversation([("what ?", "the cup"), ("cold ?", "yes")])
    assert (
        token_text(tokenizer, conversation.ids[conversation.answer])
        == "the cup <|im_end|> yes <|im_end|>"
    )
    assert conversation.image.sum() == 4


def test_conversations_are_cut_after_seg(prompts: SELF1EPrompts) -> None:
    conversation = prompts.phrase("the cup")
    cut = until_seg(conversation)
    assert cut.seg[-1] and len(cut.ids) == len(conversation.ids) - 2
    assert np.array_equal(cut.ids, conversation.ids[: len(cut.ids)])


def test_training_samples_all_templates(prompts: SELF1EPrompts, tokenizer: Tokenizer) -> None:
    rng = np.random.default_rng(0)
    for is_sentence, wordings in ((False, 4), (True, 2)):
        drawn = {
            token_text(tokenizer, prompts.training("the cup", rng, is_sentence).ids)
            for _ in range(200)
        }
        assert len(drawn) == wordings * len(ANSWERS)


def test_a_generated_answer_is_appended(prompts: SELF1EPrompts, tokenizer: Tokenizer) -> None:
    conversation = prompts.question("what ?")
    generated = [*tokenizer.ids("the cup"), prompts.end, prompts.end]
    whole, words = prompts.with_answer(conversation, generated)
    assert words == "the cup"
    assert np.array_equal(whole.ids[: len(conversation.ids)], conversation.ids)
    assert token_text(tokenizer, whole.ids[whole.answer]) == "the cup <|im_end|>"
    masked, _ = prompts.with_answer(conversation, tokenizer.ids(f"the {SEG} cup"))
    assert masked.seg.sum() == 1 and masked.answer[masked.seg].all()
    confused, _ = prompts.with_answer(conversation, [prompts.image, tokenizer.seg])
    assert np.array_equal(confused.image[: len(conversation.ids)], conversation.image)
    assert confused.image.sum() == conversation.image.sum()


def test_the_plain_style(tokenizer: Tokenizer) -> None:
    plain = SELF1EPrompts(tokenizer, "plain", 1)
    expected = f"<img> {IMAGE} </img> the cup <|im_end|> [SEG]"
    for conversation in (plain.phrase("The cup"), plain.sentence("the cup")):
        assert token_text(tokenizer, conversation.ids) == expected
        assert token_text(tokenizer, conversation.ids[conversation.answer]) == SEG


def test_no_word_has_the_padding_id(tokenizer: Tokenizer) -> None:
    assert tokenizer.rust.id_to_token(0) == "<|endoftext|>"
    assert 0 not in [tokenizer.rust.token_to_id(mark) for mark in (*SPECIAL_TOKENS, SEG)]
    ids = [tokenizer.ids(text)[0] for text in ("cup", "xylophone", ".")]
    assert all(a != b for a, b in pairwise([0, *ids]))


@pytest.mark.parametrize("mark", [*SPECIAL_TOKENS, SEG])
def test_special_tokens_in_user_text_are_rejected(prompts: SELF1EPrompts, mark: str) -> None:
    for build in (prompts.phrase, prompts.sentence, prompts.question):
        with pytest.raises(UsageError, match="is a special token"):
            build(f"the {mark} cup")


def test_a_tokenizer_of_another_system_is_rejected() -> None:
    with pytest.raises(WeightsError, match=r"lacks <\|im_start\|>, <\|im_end\|>, <img>"):
        SELF1EPrompts(word_tokenizer(WORDS), "self1e", 4)
