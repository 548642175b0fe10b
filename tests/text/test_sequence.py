"""Placeholders are replaced one by one, and mismatches are errors."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.schema import UsageError
from vlseg_cli.text.placeholders import Placeholder
from vlseg_cli.text.sequence import assemble, assemble_chat

IMAGE, QUERIES, CATEGORY, REGION, EXPRESSION, FINE_GRAINED = Placeholder


def test_names_replace_their_placeholders() -> None:
    sequence = assemble(
        [7, IMAGE, 8, CATEGORY, 9, CATEGORY, QUERIES, 5], 3, names=[[20, 1], [21, 22, 1]]
    )
    assert sequence.prefix == (7,)
    assert sequence.ids.tolist() == [8, 20, 1, 9, 21, 22, 1, QUERIES, QUERIES, QUERIES]
    assert sequence.condition.tolist() == [-1, 0, 0, -1, 1, 1, 1, -1, -1, -1]
    assert sequence.conditions == 2


def test_a_sentence_is_one_condition() -> None:
    sequence = assemble([IMAGE, 8, EXPRESSION, QUERIES], 1, expression=[30, 31, 1])
    assert sequence.prefix == ()
    assert sequence.ids.tolist() == [8, 30, 31, 1, QUERIES]
    assert sequence.condition.tolist() == [-1, 0, 0, 0, -1]
    assert sequence.conditions == 1


def test_each_region_is_one_position() -> None:
    sequence = assemble([IMAGE, REGION, 4, REGION, QUERIES], 2)
    assert sequence.ids.tolist() == [REGION, 4, REGION, QUERIES, QUERIES]
    assert sequence.condition.tolist() == [0, -1, 1, -1, -1]
    assert sequence.conditions == 2


def test_the_tail_is_kept_only_when_asked_for() -> None:
    marks = [IMAGE, 8, EXPRESSION, QUERIES, 6, 5]
    assert assemble(marks, 2, expression=[1]).ids.tolist() == [8, 1, QUERIES, QUERIES]
    whole = assemble(marks, 2, expression=[1], keep_tail=True)
    assert whole.ids.tolist() == [8, 1, QUERIES, QUERIES, 6, 5]
    assert whole.condition.tolist() == [-1, 0, -1, -1, -1, -1]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=4), min_size=1, max_size=6),
    st.integers(1, 5),
)
def test_every_name_can_be_read_off_its_positions(names: list[list[int]], queries: int) -> None:
    marks = [3, IMAGE, *[CATEGORY] * len(names), QUERIES]
    sequence = assemble(marks, queries, names=names)
    assert sequence.conditions == len(names)
    for index, name in enumerate(names):
        assert sequence.ids[sequence.condition == index].tolist() == name
    assert (sequence.ids == QUERIES).sum() == queries
    assert len(sequence.ids) == len(sequence.condition)


@pytest.mark.parametrize(
    "marks", [[QUERIES], [IMAGE], [IMAGE, IMAGE, QUERIES], [IMAGE, *[QUERIES] * 2]]
)
def test_exactly_one_image_and_one_mask_placeholder(marks: list[int]) -> None:
    with pytest.raises(UsageError, match="exactly one <image> and one <seg>"):
        assemble(marks, 2)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_as_many_names_as_placeholders(count: int) -> None:
    with pytest.raises(UsageError, match=f"2 <cls> for {count} names"):
        assemble([IMAGE, CATEGORY, CATEGORY, QUERIES], 2, names=[[4]] * count)


@pytest.mark.parametrize(
    ("marks", "expression"),
    [
        ([IMAGE, EXPRESSION, QUERIES], []),
        ([IMAGE, QUERIES], [4]),
        ([IMAGE, EXPRESSION, EXPRESSION, QUERIES], [4]),
    ],
)
def test_a_sentence_needs_one_placeholder(marks: list[int], expression: list[int]) -> None:
    with pytest.raises(UsageError, match="one <refer>"):
        assemble(marks, 2, expression=expression)


def test_the_image_comes_first() -> None:
    with pytest.raises(UsageError, match="<image> comes before"):
        assemble([QUERIES, IMAGE], 2)
    with pytest.raises(UsageError, match="<image> comes before"):
        assemble([CATEGORY, IMAGE, QUERIES], 2, names=[[4]])


def test_fine_grained_tokens_follow_the_image() -> None:
    marks = [7, IMAGE, 8, FINE_GRAINED, 9, EXPRESSION, QUERIES]
    sequence = assemble(marks, 2, expression=[4, 1])
    assert (sequence.prefix, sequence.between) == ((7,), (8,))
    assert sequence.ids.tolist() == [9, 4, 1, QUERIES, QUERIES]
    assert assemble([IMAGE, 8, QUERIES], 1).between is None


@pytest.mark.parametrize(
    "marks",
    [
        [IMAGE, REGION, FINE_GRAINED, QUERIES],
        [IMAGE, FINE_GRAINED, FINE_GRAINED, QUERIES],
        [FINE_GRAINED, IMAGE, QUERIES],
    ],
)
def test_fine_grained_tokens_elsewhere_are_an_error(marks: list[int]) -> None:
    with pytest.raises(UsageError, match="<image>"):
        assemble(marks, 2)


def test_a_conversation_is_text_around_an_image() -> None:
    sequence = assemble_chat([7, IMAGE, 8, 9])
    assert sequence.prefix == (7,) and sequence.between is None
    assert sequence.ids.tolist() == [8, 9] and sequence.conditions == 0
    with pytest.raises(UsageError, match="exactly one <image>"):
        assemble_chat([IMAGE, QUERIES])
