"""Texts, category names and regions of the command line."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vlseg_cli.cli.prompts import (
    RegionOptions,
    RegionPrompt,
    category_prompt,
    numbers_in,
    parse_names,
    parse_regions,
    points_of,
    regions_on,
    split_texts,
)
from vlseg_cli.schema import Categories, Frame, InputError, Task, UsageError


def test_the_last_argument_is_the_text() -> None:
    assert split_texts(["a.png", "b.png", " the cup "], None, "expression") == (
        ["a.png", "b.png"],
        ["the cup"],
    )


def test_with_text_all_arguments_are_inputs() -> None:
    inputs, sentences = split_texts(["a.png", "b.png"], ["one", "two"], "question")
    assert (inputs, sentences) == (["a.png", "b.png"], ["one", "two"])


def test_a_question_mark_is_not_a_pattern() -> None:
    assert split_texts(["a.png", "what is [it]?"], None, "question")[1] == ["what is [it]?"]


@pytest.mark.parametrize(
    ("words", "texts", "message"),
    [
        ([], None, "no input and no question"),
        (["what?"], None, "no input before"),
        (["a.png", "  "], None, "is empty"),
        (["a.png"], ["one", ""], "is empty"),
    ],
)
def test_missing_inputs_and_texts_are_errors(
    words: list[str], texts: list[str] | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        split_texts(words, texts, "question")


def test_a_file_at_the_end_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "b.png"
    path.touch()
    with pytest.raises(UsageError, match="put the question last"):
        split_texts(["a.png", str(path)], None, "question")


def test_a_text_too_long_for_a_file_name_is_a_text() -> None:
    long = "where " * 2000
    assert split_texts(["a.png", long], None, "question")[1] == [long.strip()]


@dataclass
class Trained:
    """The part of a model that names categories."""

    name: str = "trained"
    categories: tuple[str, ...] = ("cup", "sky")
    stuff: tuple[bool, ...] = (False, True)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (None, ()),
        ("cup", ("cup",)),
        (" cup ,wine glass,, cup", ("cup", "wine glass")),
        ("either; or, neither", ("either; or", "neither")),
    ],
)
def test_names_are_split_at_commas(text: str | None, names: tuple[str, ...]) -> None:
    assert parse_names(text) == names


@pytest.mark.parametrize("text", ["", " , ", "cup; table", "cup|table", "cup\ntable"])
def test_other_separators_and_no_names_are_errors(text: str) -> None:
    with pytest.raises(UsageError, match="--categories"):
        parse_names(text)


def test_without_names_all_categories_of_the_model_count() -> None:
    expected = Categories(("cup", "sky"), (False, True))
    assert category_prompt((), Trained(), Task.PANOPTIC) == expected
    assert category_prompt((), Trained(), Task.DETECT) == expected


def test_stuff_is_marked_as_in_the_model() -> None:
    assert category_prompt(("sky", "dog"), Trained(), Task.SEMANTIC).stuff == (True, False)


def test_names_are_countable_for_tasks_of_objects() -> None:
    prompt = category_prompt(("sky", "dog"), Trained(), Task.INSTANCE)
    assert prompt.is_thing(0) and prompt.is_thing(1)


FRAME = Frame(np.zeros((60, 80, 3), np.uint8), "grey.png")


def test_all_kinds_together_in_order(tmp_path) -> None:
    Image.fromarray(np.eye(60, 80, dtype=np.uint8) * 255).save(tmp_path / "mask.png")
    given = RegionOptions(
        point=["10,20", "5,5,70,50"],
        box=["40,30,60,50"],
        scribble=["1,1;70,50"],
        mask=[tmp_path / "mask.png"],
    )
    places = parse_regions(given)
    regions = regions_on(places, FRAME).regions
    assert [region.kind for region in regions] == ["point", "point", "box", "scribble", "mask"]
    masks = [region.mask for region in regions]
    assert masks[0][20, 10] and not masks[0][5, 5]
    assert masks[1][5, 5] and masks[1][50, 70] and not masks[1][27, 37]
    assert masks[2].sum() == 20 * 20 and masks[2][30:50, 40:60].all()
    assert masks[3][1, 1] and masks[3][50, 70] and masks[3][25, 35]
    assert np.array_equal(masks[4], np.eye(60, 80, dtype=bool))


def test_no_mask_file_is_decoded_in_this_process(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(np.eye(60, 80, dtype=np.uint8) * 255).save(tmp_path / "mask.png")
    monkeypatch.setattr("PIL.Image.open", None)
    (region,) = regions_on((RegionPrompt("mask", tmp_path / "mask.png"),), FRAME).regions
    assert np.array_equal(region.mask, np.eye(60, 80, dtype=bool))


def test_no_region_is_false() -> None:
    assert not parse_regions(RegionOptions())
    assert not parse_regions(RegionOptions(point=[], box=[], scribble=[], mask=[]))
    assert parse_regions(RegionOptions(point=["1,2"]))


@given(st.integers(0, 79), st.integers(0, 59))
def test_a_point_covers_its_pixel(x: int, y: int) -> None:
    (region,) = parse_regions(RegionOptions(point=[f"{x},{y}"]))
    assert region.on(FRAME).mask[y, x]


@pytest.mark.parametrize("text", ["", "a,b", "1", "1,2,3", "nan,1", "1,inf", "1;2", "1,,2"])
def test_bad_points(text: str) -> None:
    with pytest.raises(UsageError, match="--point"):
        parse_regions(RegionOptions(point=[text]))


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "1,2,3,x", "1,2,3,nan"])
def test_bad_boxes(text: str) -> None:
    with pytest.raises(UsageError, match="--box"):
        parse_regions(RegionOptions(box=[text]))


@pytest.mark.parametrize("text", ["", "1,2;3", "1;2", "1,2;;3,4", "1,2,3,4"])
def test_bad_scribbles(text: str) -> None:
    with pytest.raises(UsageError, match="--scribble"):
        parse_regions(RegionOptions(scribble=[text]))


def test_regions_outside_the_image_are_errors(tmp_path) -> None:
    for places in (
        parse_regions(RegionOptions(point=["80,10"])),
        parse_regions(RegionOptions(box=["90,70,95,75"])),
        parse_regions(RegionOptions(box=["30,30,20,20"])),
        parse_regions(RegionOptions(scribble=["1,1;-1,5"])),
    ):
        with pytest.raises(UsageError):
            regions_on(places, FRAME)
    with pytest.raises(InputError, match="cannot be opened"):
        regions_on(parse_regions(RegionOptions(mask=[tmp_path / "missing.png"])), FRAME)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_are_parsed(numbers: list[float]) -> None:
    assert numbers_in(",".join(map(str, numbers))) == numbers


@pytest.mark.parametrize("text", ["", "1,", "1,,2", "1;2", "a", "nan", "1,-inf", "1e999"])
def test_texts_with_other_than_numbers_give_none(text: str) -> None:
    assert numbers_in(text) == []


def test_points_are_pairs() -> None:
    assert points_of([1, 2, 3, 4]) == ((1, 2), (3, 4))
    assert points_of([1, 2, 3]) == points_of([]) == ()


def test_a_region_as_json() -> None:
    assert RegionPrompt("box", ((1, 2), (3, 4))).to_json() == {"box": ((1, 2), (3, 4))}


def test_a_mask_file_is_identified_by_its_bytes(tmp_path: Path) -> None:
    for name, data in [("a", b"1"), ("b", b"1"), ("c", b"2")]:
        (tmp_path / name).write_bytes(data)
    a, b, c = (RegionPrompt("mask", tmp_path / name).to_json() for name in "abc")
    assert a == b != c
    with pytest.raises(InputError, match="cannot be opened"):
        RegionPrompt("mask", tmp_path / "missing").to_json()


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_mask_that_is_no_regular_file_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    path = tmp_path / kind
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    for read in (RegionPrompt("mask", path).to_json, lambda: RegionPrompt("mask", path).on(FRAME)):
        with pytest.raises(InputError, match="not a regular file"):
            read()
