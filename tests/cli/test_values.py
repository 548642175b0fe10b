"""Values of options are parsed, or refused with how they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlseg_cli.cli.values import (
    AUTOMATIC,
    parse_batch_size,
    parse_formats,
    parse_seconds,
    parse_seeds,
)
from vlseg_cli.outputs import FORMATS
from vlseg_cli.schema import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        (" 1.5 ", 1.5),
        ("1:30", 90),
        ("90:00", 5400),
        ("0:01:30.25", 90.25),
        ("10:00:00", 36_000),
    ],
)
def test_times(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59_999))
def test_every_time_of_a_video_is_parsed(hours: int, minutes: int, ms: int) -> None:
    seconds = parse_seconds(f"{hours}:{minutes:02d}:{ms / 1000:06.3f}")
    assert seconds == pytest.approx(3600 * hours + 60 * minutes + ms / 1000)


@pytest.mark.parametrize(
    "text", ["", "-1", "nan", "inf", "1:60", "1:60:00", "1:2:3:4", "1:", ":5", "a", "1:-5", "²"]
)
def test_other_texts_are_not_times(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time: write seconds"):
        parse_seconds(text)


def test_batch_sizes() -> None:
    assert parse_batch_size("auto") is None
    assert parse_batch_size("16") == 16
    for text in ["", "0", "-1", "1.5", "many", "10000", "9" * 5000]:
        with pytest.raises(UsageError, match="--batch-size"):
            parse_batch_size(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("overlay,coco", ("overlay", "coco")),
        (" jsonl , jsonl,", ("jsonl",)),
        ("none", ()),
        ("", ()),
        ("auto", AUTOMATIC),
    ],
)
def test_formats(text: str, expected: tuple[str, ...]) -> None:
    assert parse_formats(text, has_map=False) == expected


def test_automatic_formats_exist() -> None:
    assert set(AUTOMATIC) <= set(FORMATS)


def test_maps_need_a_task_that_has_them() -> None:
    assert parse_formats("panoptic", has_map=True) == ("panoptic",)
    with pytest.raises(UsageError, match="--to panoptic needs a map"):
        parse_formats("panoptic", has_map=False, option="--to")


@pytest.mark.parametrize("text", ["coco,none", "coco,auto"])
def test_none_and_auto_stand_alone(text: str) -> None:
    with pytest.raises(UsageError, match="auto or none alone"):
        parse_formats(text, has_map=False)


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_seeds_are_a_half_open_range(first: int, count: int) -> None:
    assert parse_seeds(f"{first}:{first + count}") == range(first, first + count)


@pytest.mark.parametrize(
    "text", ["", "5", ":", "5:", ":5", "a:b", "-3:4", "5:5", "6:5", "1:2:3", "²:³"]
)
def test_other_texts_are_not_ranges(text: str) -> None:
    with pytest.raises(UsageError, match="--seeds"):
        parse_seeds(text)
