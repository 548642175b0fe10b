"""MVP-LM's prompts letter by letter, their targets, and lists in any order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as RustTokenizer
from tokenizers import models, pre_tokenizers

from vlseg_cli.models.mvp_lm.prompts import IGNORED, MVPLMPrompts, Style, name_turn, sentence_turn
from vlseg_cli.schema import Task
from vlseg_cli.text.placeholders import Placeholder
from vlseg_cli.text.tokenizer import Tokenizer

LETTERS = [chr(code) for code in range(32, 127)] + ["\n"]
PER = 3


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """A token per letter, so that ids can be read."""
    words = ["[UNK]", "[SEG]", "<|endoftext|>", "<PER>", *LETTERS]
    rust = RustTokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    rust.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    rust.add_special_tokens(["[SEG]", "<|endoftext|>", "<PER>"])
    return Tokenizer(rust)


def text(tokenizer: Tokenizer, ids: list[int]) -> str:
    """The text of ids, special tokens included."""
    special = {Placeholder.QUERIES: "<seg>"}
    return "".join(special.get(i) or tokenizer.rust.id_to_token(i) for i in ids)


def test_the_released_prompts() -> None:
    question, answer = name_turn(2, Task.PANOPTIC, "released")
    assert question == (
        "This is an image <image>, Please do Panoptic Segmentation.\n"
        "This is all the candidate categories: <cls>, <cls>.\n"
    )
    assert answer == "\nSure, the segmentation result is <seg>"
    assert name_turn(2, Task.SEMANTIC, "released") == (question, answer)
    assert name_turn(1, Task.DETECT, "released").answer == "\nSure, the detection result is <seg>"
    assert name_turn(1, Task.GROUND, "released").question.endswith("phrases: <cls>.\n")
    assert ", Please doing Referring Segmentation" in sentence_turn("released").question
    assert ", Please do Referring" in sentence_turn("released", many=True).question
    assert "Reasoning" in sentence_turn("released", Task.REASON).question


def test_the_prompts_of_the_paper() -> None:
    question, answer = name_turn(3, Task.DETECT, "paper")
    assert "This is all the candidate phrases.\n<cls>, <cls>, <cls>.\n" in question
    assert answer == "The perception result is <seg>"
    assert sentence_turn("paper").question.endswith("the following instruction.\n<refer>")


def test_a_prompt_ends_with_the_queries(tokenizer: Tokenizer) -> None:
    sequence = MVPLMPrompts(tokenizer, "released").sentence("the cup")
    assert text(tokenizer, list(sequence.ids)).endswith(
        "instruction:\n the cup.[SEG] [/INST] \nSure, the segmentation result is <seg>"
    )
    where = [i for i, owner in enumerate(sequence.condition) if owner == 0]
    assert text(tokenizer, [sequence.ids[i] for i in where]) == " the cup.[SEG]"


def test_with_captions_a_prompt_ends_before_the_answer(tokenizer: Tokenizer) -> None:
    prompts = MVPLMPrompts(tokenizer, "paper", PER)
    sequence = prompts.sentence("the cup")
    assert text(tokenizer, list(sequence.ids)).endswith(" the cup.[SEG] [/INST]<seg>")
    caption = tokenizer.ids(" A cup.")
    with_caption = prompts.with_caption(sequence, caption)
    target = " A cup. The perception result is <seg>"
    assert text(tokenizer, list(with_caption.ids)).endswith(f"[/INST]{target}")
    assert with_caption.conditions == 1 and (with_caption.condition[-len(caption) :] == -1).all()
    result = tokenizer.ids(" The perception result is ")
    assert prompts.caption([*caption, *result]) == prompts.caption(caption) == caption
    supervised = prompts.supervised_sentence(
        prompts.sentence_tokens("the cup"), Task.REFER, "A cup"
    )
    assert text(tokenizer, list(supervised.sequence.ids)).startswith(
        text(tokenizer, list(with_caption.ids)).replace("<seg>", "")
    )


@pytest.mark.parametrize("style", ["released", "paper"])
def test_target_text_of_each_style(tokenizer: Tokenizer, style: Style) -> None:
    prompts = MVPLMPrompts(tokenizer, style, PER if style == "paper" else None)
    supervised = prompts.supervised_names(
        ["cup"], Task.PANOPTIC, [1, 0], "There exists cup.", slots=2
    )
    target = [int(label) for label in supervised.labels if label != IGNORED]
    assert len(supervised.labels) == len(supervised.sequence.ids)
    expected = {
        "released": " \nSure, the segmentation result is . There exists cup. <|endoftext|>",
        "paper": " There exists cup. The perception result is <PER><PER> <|endoftext|>",
    }
    assert text(tokenizer, target) == expected[style]


def test_the_grounding_target_has_no_period(tokenizer: Tokenizer) -> None:
    """As in the authors' code."""
    prompts = MVPLMPrompts(tokenizer, "released")
    supervised = prompts.supervised_names(["cup"], Task.GROUND, [0, 1], prompts.existing(["cup"]))
    assert "result is <seg>There exists cup. " in text(tokenizer, list(supervised.sequence.ids))
    assert prompts.existing([]) == ""


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(4)))
def test_conditions_keep_the_order_of_the_names(tokenizer: Tokenizer, order: list[int]) -> None:
    names = ["cup", "dog", "old tree"]
    supervised = MVPLMPrompts(tokenizer, "plain").supervised_names(names, Task.PANOPTIC, order)
    ids, condition = supervised.sequence.ids, supervised.sequence.condition
    for number, name in enumerate([*names, "background"]):
        mine = [int(i) for i, owner in zip(ids, condition, strict=True) if owner == number]
        assert text(tokenizer, mine) == f"{name}[SEG]"
    order_found = [int(owner) for owner in dict.fromkeys(condition) if owner >= 0]
    assert order_found == order


def test_the_prefix_of_a_list_without_names(tokenizer: Tokenizer) -> None:
    prompts = MVPLMPrompts(tokenizer, "released")
    whole, none = prompts.names(["cup"], Task.INSTANCE), prompts.before_names(Task.INSTANCE)
    assert none.prefix == whole.prefix and none.ids[-1] == Placeholder.QUERIES
    first = int((whole.condition == 0).argmax())
    assert whole.ids[:first].tolist() == none.ids[:-1].tolist()
