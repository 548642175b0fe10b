"""HyperSeg's instructions letter by letter, and the text that the model generates."""

import pytest

from vlseg_cli.models.hyperseg.prompts import HyperSegPrompts, question_text
from vlseg_cli.text.placeholders import Placeholder
from vlseg_cli.text.tokenizer import END, Tokenizer

SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions."
)


@pytest.fixture
def prompts(bytes_tokenizer: Tokenizer) -> HyperSegPrompts:
    return HyperSegPrompts(bytes_tokenizer, "hyperseg", 3, 3)


@pytest.fixture
def plain(words: Tokenizer) -> HyperSegPrompts:
    return HyperSegPrompts(words, "plain", 3, 2)


@pytest.mark.parametrize(
    ("reasoning", "video", "before", "after", "said"),
    [
        (False, False, "an image", "Please doing Referring Segmentation according to the following "
         "instruction:\n{}", "the cat."),
        (True, False, "an image", "Please doing Reasoning Segmentation according to the following "
         "instruction:\n{}", "the cat"),
        (True, True, "a frame", "Please doing Reasoning Segmentation according to the following "
         "instruction.\nThis is all the instruction: {}\n", "the cat"),
    ],
)  # fmt: skip
def test_instructions_are_the_authors(
    prompts: HyperSegPrompts, reasoning: bool, video: bool, before: str, after: str, said: str
) -> None:
    t, sequence = prompts.tokenizer, prompts.sentence(" the cat ", reasoning, video)
    assert sequence.prefix == tuple(t.ids(f"{SYSTEM} USER: This is {before} "))
    assert sequence.between == tuple(t.ids("\n"))
    head, tail = f"\n, {after}".split("{}")
    expected = [*t.ids(head), *t.ids(said), t.seg]
    expected += t.ids(f"{tail} ASSISTANT: \nSure, the segmentation result is ")
    assert sequence.ids.tolist() == [*expected, t.seg, *[Placeholder.QUERIES] * 3]
    assert (sequence.condition == 0).sum() == len(t.ids(said)) + 1


def test_all_prompts_of_a_video_share_a_prefix(prompts: HyperSegPrompts) -> None:
    asked = [
        prompts.sentence("the cat", video=True),
        prompts.regions(2, video=True),
        prompts.categories(["cat"], video=True),
    ]
    assert len({(one.prefix, one.between) for one in asked}) == 1
    assert asked[0].prefix != prompts.sentence("the cat").prefix


def test_generated_names_stand_before_the_mask_tokens(plain: HyperSegPrompts) -> None:
    t = plain.tokenizer
    cat, dog = t.ids("cat"), t.ids("dog")
    sequence = plain.categories(["cat", "dog"], entities=["dog"])
    assert sequence.ids.tolist()[-6:] == [*dog, t.seg, t.seg, *[Placeholder.QUERIES] * 3]
    question = plain.category_question(["cat", "dog"])
    assert sequence.ids.tolist()[: len(question.ids)] == question.ids.tolist()
    said = [*dog, t.seg, *cat, t.seg, *dog, t.seg, t.seg]
    assert plain.entities(["dog", "cat", "dog"]) == said
    assert plain.entities_of(said) == ["dog", "cat"]
    assert [plain.entities_end(said[:count]) for count in (0, 2, 6, 7)] == [False] * 3 + [True]
    assert plain.entities_end([t.seg]) and plain.entities_of([t.seg]) == []
    assert plain.entities_of([*dog, t.seg, *cat]) == ["dog"]


def test_a_question_with_its_answer(prompts: HyperSegPrompts) -> None:
    assert question_text("What is it?") == f"{SYSTEM} USER: <image>\nWhat is it? ASSISTANT:"
    sequence, count = prompts.answered("What is it?", "a cat")
    t = prompts.tokenizer
    assert sequence.ids.tolist()[-count:] == t.ids(f" a cat{END}")
    assert prompts.tokenizer.has_ended(t.ids(END)) and not prompts.tokenizer.has_ended([])
    assert prompts.tokenizer.text([*t.ids(" a cat"), t.seg, *t.ids(END)]) == "a cat"


def test_instructions_of_the_miniature(plain: HyperSegPrompts) -> None:
    t = plain.tokenizer
    assert plain.sentence("the cat").ids.tolist() == [
        *t.ids("find the cat"), t.seg, t.seg, Placeholder.QUERIES, Placeholder.QUERIES
    ]  # fmt: skip
    assert plain.regions(1).ids.tolist() == [
        *t.ids("point"), Placeholder.REGION, Placeholder.QUERIES, Placeholder.QUERIES
    ]  # fmt: skip
    assert plain.sentence("the cat").between == ()
