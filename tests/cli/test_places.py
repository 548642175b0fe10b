"""Places are kept as they were written, and can be told from one another."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlseg_cli.cli.places import Place, numbers_in, points_of
from vlseg_cli.schema import InputError


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_come_back(numbers: list[float]) -> None:
    assert numbers_in(",".join(map(str, numbers))) == numbers


@pytest.mark.parametrize("text", ["", "1,", "1,,2", "1;2", "a", "nan", "1,-inf", "1e999"])
def test_what_is_not_only_numbers_is_none_at_all(text: str) -> None:
    assert numbers_in(text) == []


def test_points_are_pairs() -> None:
    assert points_of([1, 2, 3, 4]) == ((1, 2), (3, 4))
    assert points_of([1, 2, 3]) == points_of([]) == ()


def test_a_place_in_plain_values() -> None:
    assert Place("box", ((1, 2), (3, 4))).plain() == {"box": ((1, 2), (3, 4))}


def test_a_mask_file_is_told_by_its_bytes(tmp_path: Path) -> None:
    for name, data in [("a", b"1"), ("b", b"1"), ("c", b"2")]:
        (tmp_path / name).write_bytes(data)
    a, b, c = (Place("mask", tmp_path / name).plain() for name in "abc")
    assert a == b != c
    with pytest.raises(InputError, match="cannot be opened"):
        Place("mask", tmp_path / "missing").plain()
