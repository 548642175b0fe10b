"""Shared options are read as a person means them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlseg_cli.cli.options import parse_formats, parse_seeds
from vlseg_cli.schema import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("overlay,coco", ("overlay", "coco")),
        (" jsonl , jsonl,", ("jsonl",)),
        ("none", ()),
        ("", ()),
    ],
)
def test_formats(text: str, expected: tuple[str, ...]) -> None:
    assert parse_formats(text) == expected


def test_panoptic_needs_a_map() -> None:
    assert parse_formats("panoptic", has_map=True) == ("panoptic",)
    with pytest.raises(UsageError, match="--task"):
        parse_formats("panoptic")


def test_none_stands_alone() -> None:
    with pytest.raises(UsageError, match="none alone"):
        parse_formats("coco,none")


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_seeds_are_a_half_open_range(first: int, count: int) -> None:
    assert parse_seeds(f"{first}:{first + count}") == range(first, first + count)


@pytest.mark.parametrize(
    "text", ["", "5", ":", "5:", ":5", "a:b", "-3:4", "5:5", "6:5", "1:2:3", "²:³"]
)
def test_what_is_no_range_of_seeds(text: str) -> None:
    with pytest.raises(UsageError, match="--seeds"):
        parse_seeds(text)
