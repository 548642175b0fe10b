"""Conversations end where the query is read; only the answer is supervised."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, models, pre_tokenizers
from tokenizers import Tokenizer as RustTokenizer

from vlseg_cli.models.hrseg.prompts import ANSWERS, IGNORED, HRSegPrompts, Style
from vlseg_cli.text.placeholders import Placeholder, legacy_ids
from vlseg_cli.text.tokenizer import Tokenizer, word_tokenizer


@pytest.fixture(scope="module")
def llama() -> Tokenizer:
    """Character tokens with a marker for spaces, as in sentencepiece."""
    marks = ("<unk>", "<s>", "</s>")
    letters = {chr(c) for c in range(33, 127)} | {"▁", "\n"}
    pieces = {token: i for i, token in enumerate((*marks, *sorted(letters)))}
    rust = RustTokenizer(models.BPE(pieces, [], unk_token="<unk>"))
    rust.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    rust.add_special_tokens([AddedToken(mark) for mark in marks])
    rust.add_tokens([AddedToken(mark) for mark in ("[SEG]", "<im_start>", "<im_end>")])
    return Tokenizer(rust)


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return word_tokenizer(["find", "what", "barks"])


def text_of(ids: list[int], tokenizer: Tokenizer) -> str:
    special = {int(Placeholder.IMAGE): "<image>"}
    return "".join(special.get(i) or str(tokenizer.rust.id_to_token(i)) for i in ids)


def test_spaces_beside_special_tokens_are_removed(llama: Tokenizer) -> None:
    ids = legacy_ids("a: <im_start><image><im_end>\n b  [SEG] . </s> c", llama)
    assert text_of(ids, llama) == "<s>▁a:<im_start><image><im_end>▁b[SEG]▁.▁</s>▁c"


@pytest.mark.parametrize("style", ["llava", "llava-next"])
def test_a_question_ends_before_seg(llama: Tokenizer, style: Style) -> None:
    sequence = HRSegPrompts(llama, style).question(" what barks? ")
    before, after = text_of(list(sequence.prefix), llama), text_of(sequence.ids.tolist(), llama)
    assert before.endswith("USER:<im_start>" if style == "llava" else "USER:▁")
    marked = "<im_end>▁" if style == "llava" else ""
    start = f"{marked}what▁barks?▁Please▁output▁segmentation▁mask.▁ASSISTANT:"
    assert after.lstrip("▁\n") == start
    assert sequence.condition.tolist() == [-1] * (len(sequence.ids) - 1) + [0]


def test_a_phrase_is_put_into_the_question_of_the_authors(llama: Tokenizer) -> None:
    ids = HRSegPrompts(llama, "llava").phrase("the red car").ids.tolist()
    assert "What▁is▁the▁red▁car▁in▁this▁image?" in text_of(ids, llama)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_only_answers_are_supervised(llama: Tokenizer, seed: int, phrase: bool) -> None:
    prompts, rng = HRSegPrompts(llama, "llava"), np.random.default_rng(seed)
    supervised = (prompts.drawn_phrase if phrase else prompts.drawn_question)("What barks", rng)
    target = supervised.labels[supervised.labels != IGNORED]
    expected = {answer.replace(" [SEG]", "[SEG]").replace(" ", "▁") for answer in ANSWERS}
    target_text = text_of(target.tolist(), llama).removesuffix("</s>").replace("[SEG]▁.", "[SEG].")
    assert target_text.lstrip("▁") in expected
    position = int(supervised.sequence.condition.argmax())
    assert supervised.sequence.ids[position + 1] == llama.seg
    assert (
        supervised.labels[supervised.labels != IGNORED].tolist()
        == supervised.sequence.ids[-len(target) :].tolist()
    )


def test_special_tokens_in_user_text_are_plain_text(llama: Tokenizer) -> None:
    sequence = HRSegPrompts(llama, "llava").question("a [SEG] <image> b </s>")
    assert llama.seg not in sequence.ids and Placeholder.IMAGE not in sequence.ids


def test_the_plain_style(words: Tokenizer) -> None:
    prompts = HRSegPrompts(words, "plain")
    supervised = prompts.drawn_question("what barks", np.random.default_rng(0))
    assert text_of(supervised.sequence.ids.tolist(), words) == "findwhatbarks[SEG]"
    assert supervised.sequence.prefix == () and supervised.labels.tolist() == [
        *[IGNORED] * 3,
        words.seg,
    ]
    assert text_of(prompts.question("what barks").ids.tolist(), words) == "findwhatbarks"
