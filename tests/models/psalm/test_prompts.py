"""PSALM's instructions letter by letter, and each piece of text between marks on its own."""

import pytest

from vlseg_cli.models.psalm.prompts import (
    PSALMPrompts,
    category_text,
    conversation_text,
    region_text,
    sentence_text,
)
from vlseg_cli.text.placeholders import MARKS, Placeholder, tokenize
from vlseg_cli.text.tokenizer import Tokenizer

BEFORE = (
    "[INST] <<SYS>>\nYou are a helpful language and vision assistant. You are able to understand "
    "the visual content that the user provides, and assist the user with a variety of tasks using "
    "natural language.\n<</SYS>>\n\n"
)
SURE = " [/INST] \nSure, the segmentation result is <seg> <|endoftext|>"


def test_the_authors_wording() -> None:
    assert category_text(3, "psalm") == (
        f"{BEFORE}This is an image <image>, Please do Panoptic Segmentation.\n"
        f"This is all the candidate categories: <cls>, <cls>, <cls>.\n{SURE}"
    )
    assert category_text(1, "psalm", "Semantic") == (
        f"{BEFORE}This is an image <image>, Please do Semantic Segmentation.\n"
        f"This is all the candidate categories: <cls>.\n{SURE}"
    )
    assert sentence_text("psalm") == (
        f"{BEFORE}This is an image <image>, Please doing Referring Segmentation according to the "
        f"following instruction:\n<refer>{SURE}"
    )
    assert region_text(2, "psalm") == (
        f"{BEFORE}This is an image <image>, Please segment by given regions\n"
        "This is all regions:  <region>, <region>.\n"
        " [/INST] \n[SEG]<seg> <|endoftext|>"
    )


def test_a_conversation_puts_the_picture_first_and_ends_every_turn() -> None:
    assert conversation_text([("What is it?", "A cat.")]) == (
        f"{BEFORE}<image>\nWhat is it? [/INST] A cat. <|endoftext|>"
    )
    assert conversation_text([("What is it?", "A cat."), ("Sure?", "Yes.")]) == (
        f"{BEFORE}<image>\nWhat is it? [/INST] A cat. <|endoftext|>"
        "<|endoftext|>[INST] Sure? [/INST] Yes. <|endoftext|>"
    )


def test_the_miniatures_wording() -> None:
    assert category_text(2, "plain") == "<image> segment <cls> <cls> <seg>"
    assert sentence_text("plain") == "<image> find <refer> <seg>"
    assert region_text(1, "plain") == "<image> point <region> <seg>"


def test_marks_travel_under_the_authors_ids() -> None:
    assert {mark: int(value) for mark, value in MARKS.items()} == {
        "<image>": -200,
        "<seg>": -201,
        "<cls>": -202,
        "<region>": -203,
        "<refer>": -204,
        "<temporal>": -205,
    }


def test_pieces_between_marks_are_tokenized_apart(bytes_tokenizer: Tokenizer) -> None:
    ids = tokenize("do <cls>, <cls>.", bytes_tokenizer)
    comma, space = bytes_tokenizer.ids(","), bytes_tokenizer.ids(" ")
    assert bytes_tokenizer.ids(", ") == [*comma, *space]
    assert ids == [
        *bytes_tokenizer.ids("do "),
        Placeholder.CATEGORY,
        *comma,
        *space,
        Placeholder.CATEGORY,
        *bytes_tokenizer.ids("."),
    ]


def test_names_are_read_without_the_space_before_them(bytes_tokenizer: Tokenizer) -> None:
    t = bytes_tokenizer
    assert t.ids(" dog")[-1:] != t.ids("dog"), "this tokenizer cannot tell the difference"
    sequence = PSALMPrompts(t, "psalm", 4, 4).categories(["cat", "dog"])
    assert sequence.prefix == tuple(t.ids(f"{BEFORE}This is an image "))
    expected = t.ids(", Please do Panoptic Segmentation.\nThis is all the candidate categories: ")
    for name in ("cat", "dog", "background"):
        between = [] if name == "cat" else t.ids(", ")
        expected += [*between, *t.ids(name), t.seg]
    expected += t.ids(f".\n{SURE.split('<seg>')[0]}") + [Placeholder.QUERIES] * 4
    assert sequence.ids.tolist() == expected


def test_background_is_the_last_condition(words: Tokenizer) -> None:
    sequence = PSALMPrompts(words, "plain", 3, 1).categories(["cat", "the dog"])
    assert sequence.conditions == 3
    pooled = [sequence.ids[sequence.condition == k].tolist() for k in range(3)]
    assert pooled == [
        [*words.ids("cat"), words.seg],
        [*words.ids("the dog"), words.seg],
        [*words.ids("background"), words.seg],
    ]


@pytest.mark.parametrize("text", ["the cat", " the cat ", "the cat."])
def test_sentences_are_written_as_the_authors_wrote_them(
    bytes_tokenizer: Tokenizer, text: str
) -> None:
    sequence = PSALMPrompts(bytes_tokenizer, "psalm", 4, 4).sentence(text)
    said = sequence.ids[sequence.condition == 0].tolist()
    assert said == [*bytes_tokenizer.ids(" the cat."), bytes_tokenizer.seg]
    assert sequence.conditions == 1


def test_regions_are_told_with_a_literal_seg(bytes_tokenizer: Tokenizer) -> None:
    t = bytes_tokenizer
    sequence = PSALMPrompts(t, "psalm", 4, 4).regions(2)
    assert sequence.conditions == 2
    assert sequence.ids[sequence.condition >= 0].tolist() == [Placeholder.REGION] * 2
    end = [t.seg, *[Placeholder.QUERIES] * 4]
    assert sequence.ids[-len(end) :].tolist() == end
    assert sequence.condition[-len(end) :].tolist() == [-1] * len(end)


def test_names_get_all_mask_tokens_and_one_answer_gets_its_own(words: Tokenizer) -> None:
    prompts = PSALMPrompts(words, "plain", queries=5, single=2)
    counts = [
        int((sequence.ids == Placeholder.QUERIES).sum())
        for sequence in (prompts.categories(["cat"]), prompts.sentence("cat"), prompts.regions(3))
    ]
    assert counts == [5, 2, 2]


def test_all_prompts_of_a_style_share_what_is_read_before_the_picture(
    bytes_tokenizer: Tokenizer,
) -> None:
    prompts = PSALMPrompts(bytes_tokenizer, "psalm", 4, 4)
    sequences = (prompts.categories(["cat"]), prompts.sentence("a cat"), prompts.regions(1))
    assert len({sequence.prefix for sequence in sequences}) == 1


def test_marks_in_a_users_words_are_just_words(words: Tokenizer) -> None:
    prompts = PSALMPrompts(words, "plain", 3, 1)
    sequence = prompts.sentence("the <seg> cat <image>")
    assert sequence.conditions == 1
    assert (sequence.ids == Placeholder.QUERIES).sum() == 1
    assert prompts.categories(["<cls>"]).conditions == 2
