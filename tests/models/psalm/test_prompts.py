"""PSALM's instructions letter by letter, and the tokens between placeholders."""

import pytest

from vlseg_cli.models.psalm.prompts import (
    PSALMPrompts,
    category_text,
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


def test_instructions_are_the_authors() -> None:
    assert category_text(3, "psalm") == (
        f"{BEFORE}This is an image <image>, Please do Panoptic Segmentation.\n"
        f"This is all the candidate categories: <cls>, <cls>, <cls>.\n{SURE}"
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


def test_instructions_of_the_miniature() -> None:
    assert category_text(2, "plain") == "<image> segment <cls> <cls> <seg>"
    assert sentence_text("plain") == "<image> find <refer> <seg>"
    assert region_text(1, "plain") == "<image> point <region> <seg>"


def test_placeholders_have_the_authors_ids() -> None:
    assert {mark: int(value) for mark, value in MARKS.items()} == {
        "<image>": -200,
        "<seg>": -201,
        "<cls>": -202,
        "<region>": -203,
        "<refer>": -204,
        "<temporal>": -205,
    }


def test_text_between_placeholders_is_tokenized_separately(bytes_tokenizer: Tokenizer) -> None:
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


def test_names_are_tokenized_without_the_space_before_them(bytes_tokenizer: Tokenizer) -> None:
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
def test_sentences_have_the_authors_format(bytes_tokenizer: Tokenizer, text: str) -> None:
    sequence = PSALMPrompts(bytes_tokenizer, "psalm", 4, 4).sentence(text)
    said = sequence.ids[sequence.condition == 0].tolist()
    assert said == [*bytes_tokenizer.ids(" the cat."), bytes_tokenizer.seg]
    assert sequence.conditions == 1


def test_regions_end_with_a_literal_seg(bytes_tokenizer: Tokenizer) -> None:
    t = bytes_tokenizer
    sequence = PSALMPrompts(t, "psalm", 4, 4).regions(2)
    assert sequence.conditions == 2
    assert sequence.ids[sequence.condition >= 0].tolist() == [Placeholder.REGION] * 2
    end = [t.seg, *[Placeholder.QUERIES] * 4]
    assert sequence.ids[-len(end) :].tolist() == end
    assert sequence.condition[-len(end) :].tolist() == [-1] * len(end)


def test_categories_and_single_prompts_have_their_numbers_of_mask_tokens(words: Tokenizer) -> None:
    prompts = PSALMPrompts(words, "plain", queries=5, single=2)
    counts = [
        int((sequence.ids == Placeholder.QUERIES).sum())
        for sequence in (prompts.categories(["cat"]), prompts.sentence("cat"), prompts.regions(3))
    ]
    assert counts == [5, 2, 2]


def test_all_prompts_of_a_style_share_a_prefix(
    bytes_tokenizer: Tokenizer,
) -> None:
    prompts = PSALMPrompts(bytes_tokenizer, "psalm", 4, 4)
    sequences = (prompts.categories(["cat"]), prompts.sentence("a cat"), prompts.regions(1))
    assert len({sequence.prefix for sequence in sequences}) == 1


def test_placeholders_in_user_text_are_plain_text(words: Tokenizer) -> None:
    prompts = PSALMPrompts(words, "plain", 3, 1)
    sequence = prompts.sentence("the <seg> cat <image>")
    assert sequence.conditions == 1
    assert (sequence.ids == Placeholder.QUERIES).sum() == 1
    assert prompts.categories(["<cls>"]).conditions == 2
