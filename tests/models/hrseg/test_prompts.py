"""Conversations end where the answer is read; what is to be said is learned and nothing else."""

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
    """Characters as pieces, with a mark for spaces, as sentencepiece has it."""
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
    picture = {int(Placeholder.IMAGE): "<image>"}
    return "".join(picture.get(i) or str(tokenizer.rust.id_to_token(i)) for i in ids)


def test_space_beside_marks_vanishes(llama: Tokenizer) -> None:
    ids = legacy_ids("a: <im_start><image><im_end>\n b  [SEG] . </s> c", llama)
    assert text_of(ids, llama) == "<s>▁a:<im_start><image><im_end>▁b[SEG]▁.▁</s>▁c"


@pytest.mark.parametrize("style", ["llava", "llava-next"])
def test_a_question_stops_before_seg(llama: Tokenizer, style: Style) -> None:
    sequence = HRSegPrompts(llama, style).question(" what barks? ")
    before, after = text_of(list(sequence.prefix), llama), text_of(sequence.ids.tolist(), llama)
    assert before.endswith("USER:<im_start>" if style == "llava" else "USER:▁")
    marked = "<im_end>▁" if style == "llava" else ""
    start = f"{marked}what▁barks?▁Please▁output▁segmentation▁mask.▁ASSISTANT:"
    assert after.lstrip("▁\n") == start
    assert sequence.condition.tolist() == [-1] * (len(sequence.ids) - 1) + [0]


def test_a_phrase_is_asked_for_as_what_it_is(llama: Tokenizer) -> None:
    ids = HRSegPrompts(llama, "llava").phrase("the red car").ids.tolist()
    assert "What▁is▁the▁red▁car▁in▁this▁image?" in text_of(ids, llama)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_only_answers_are_learned(llama: Tokenizer, seed: int, phrase: bool) -> None:
    prompts, rng = HRSegPrompts(llama, "llava"), np.random.default_rng(seed)
    lesson = (prompts.drawn_phrase if phrase else prompts.drawn_question)("What barks", rng)
    said = lesson.labels[lesson.labels != IGNORED]
    answers = {answer.replace(" [SEG]", "[SEG]").replace(" ", "▁") for answer in ANSWERS}
    spoken = text_of(said.tolist(), llama).removesuffix("</s>").replace("[SEG]▁.", "[SEG].")
    assert spoken.lstrip("▁") in answers
    place = int(lesson.sequence.condition.argmax())
    assert lesson.sequence.ids[place + 1] == llama.seg
    assert (
        lesson.labels[lesson.labels != IGNORED].tolist()
        == lesson.sequence.ids[-len(said) :].tolist()
    )


def test_a_users_marks_are_words(llama: Tokenizer) -> None:
    sequence = HRSegPrompts(llama, "llava").question("a [SEG] <image> b </s>")
    assert llama.seg not in sequence.ids and Placeholder.IMAGE not in sequence.ids


def test_plain(words: Tokenizer) -> None:
    prompts = HRSegPrompts(words, "plain")
    lesson = prompts.drawn_question("what barks", np.random.default_rng(0))
    assert text_of(lesson.sequence.ids.tolist(), words) == "findwhatbarks[SEG]"
    assert lesson.sequence.prefix == () and lesson.labels.tolist() == [*[IGNORED] * 3, words.seg]
    assert text_of(prompts.question("what barks").ids.tolist(), words) == "findwhatbarks"
