"""Points, boxes, scribbles and masks land where they were typed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vlseg_cli.cli.regions import RegionPrompt, numbers_in, parse_regions, points_of, regions_on
from vlseg_cli.schema import Frame, InputError, UsageError

FRAME = Frame(np.zeros((60, 80, 3), np.uint8), "grey.png")


def test_all_kinds_together_in_order(tmp_path) -> None:
    Image.fromarray(np.eye(60, 80, dtype=np.uint8) * 255).save(tmp_path / "mask.png")
    places = parse_regions(
        ["10,20", "5,5,70,50"], ["40,30,60,50"], ["1,1;70,50"], [tmp_path / "mask.png"]
    )
    regions = regions_on(places, FRAME).regions
    assert [region.kind for region in regions] == ["point", "point", "box", "scribble", "mask"]
    masks = [region.mask for region in regions]
    assert masks[0][20, 10] and not masks[0][5, 5]
    assert masks[1][5, 5] and masks[1][50, 70] and not masks[1][27, 37]
    assert masks[2].sum() == 20 * 20 and masks[2][30:50, 40:60].all()
    assert masks[3][1, 1] and masks[3][50, 70] and masks[3][25, 35]
    assert np.array_equal(masks[4], np.eye(60, 80, dtype=bool))


def test_nothing_pointed_at_is_false() -> None:
    assert not parse_regions(None, None, None, None)
    assert not parse_regions([], [], [], [])
    assert parse_regions(["1,2"], None, None, None)


@given(st.integers(0, 79), st.integers(0, 59))
def test_every_pixel_can_be_pointed_at(x: int, y: int) -> None:
    (place,) = parse_regions([f"{x},{y}"], None, None, None)
    assert place.on(FRAME).mask[y, x]


@pytest.mark.parametrize("text", ["", "a,b", "1", "1,2,3", "nan,1", "1,inf", "1;2", "1,,2"])
def test_bad_points(text: str) -> None:
    with pytest.raises(UsageError, match="--point"):
        parse_regions([text], None, None, None)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "1,2,3,x", "1,2,3,nan"])
def test_bad_boxes(text: str) -> None:
    with pytest.raises(UsageError, match="--box"):
        parse_regions(None, [text], None, None)


@pytest.mark.parametrize("text", ["", "1,2;3", "1;2", "1,2;;3,4", "1,2,3,4"])
def test_bad_scribbles(text: str) -> None:
    with pytest.raises(UsageError, match="--scribble"):
        parse_regions(None, None, [text], None)


def test_places_outside_the_picture_are_errors(tmp_path) -> None:
    for places in (
        parse_regions(["80,10"], None, None, None),
        parse_regions(None, ["90,70,95,75"], None, None),
        parse_regions(None, ["30,30,20,20"], None, None),
        parse_regions(None, None, ["1,1;-1,5"], None),
    ):
        with pytest.raises(UsageError):
            regions_on(places, FRAME)
    with pytest.raises(InputError, match="cannot be opened"):
        regions_on(parse_regions(None, None, None, [tmp_path / "missing.png"]), FRAME)


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
    assert RegionPrompt("box", ((1, 2), (3, 4))).plain() == {"box": ((1, 2), (3, 4))}


def test_a_mask_file_is_told_by_its_bytes(tmp_path: Path) -> None:
    for name, data in [("a", b"1"), ("b", b"1"), ("c", b"2")]:
        (tmp_path / name).write_bytes(data)
    a, b, c = (RegionPrompt("mask", tmp_path / name).plain() for name in "abc")
    assert a == b != c
    with pytest.raises(InputError, match="cannot be opened"):
        RegionPrompt("mask", tmp_path / "missing").plain()
