"""The three polygon rules, and OpenCV's fill on its own recorded results."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.datasets.polygons import (
    POLYGON_RULES,
    fill_polygon,
    polygon_fill,
    polygon_sum,
    polygon_union,
    true_mask,
)
from vlseg_cli.schema import InputError, decode_rle

LEFT = [1.0, 1.0, 7.0, 1.0, 7.0, 7.0, 1.0, 7.0]
RIGHT = [5.0, 1.0, 11.0, 1.0, 11.0, 7.0, 5.0, 7.0]


def test_overlapping_parts_are_counted_twice_by_the_sum_alone() -> None:
    total = polygon_sum([LEFT, RIGHT], 10, 14)
    assert total.shape == (10, 14)
    assert total[3].tolist() == [0, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 0, 0, 0]
    assert (polygon_union([LEFT, RIGHT], 10, 14) == (total > 0)).all()


def test_opencv_includes_the_far_edges() -> None:
    filled = polygon_fill([LEFT], 10, 14)
    assert filled.sum() == 49
    assert polygon_union([LEFT], 10, 14).sum() == 36


def test_points_are_cut_not_rounded() -> None:
    shifted = [value + 0.9 for value in LEFT]
    assert (polygon_fill([shifted], 10, 14) == polygon_fill([LEFT], 10, 14)).all()
    assert (polygon_fill([LEFT, RIGHT], 10, 14) >= polygon_fill([RIGHT], 10, 14)).all()
    assert polygon_fill([np.array(LEFT) - 1.9], 10, 14)[0, 0]


DRAWN = Path(__file__).parent / "opencv_fill.json"
POINTS = st.lists(st.tuples(st.integers(-9, 25), st.integers(-9, 25)), min_size=1, max_size=8)


def test_every_pixel_is_that_of_opencv() -> None:
    for number, drawn in enumerate(json.loads(DRAWN.read_text())):
        mask = fill_polygon(np.array(drawn["points"]), *drawn["mask"]["size"])
        assert (mask == decode_rle(drawn["mask"])).all(), f"polygon {number} differs"


def test_a_rectangle_contains_its_edges() -> None:
    mask = fill_polygon(np.array([[1, 2], [4, 2], [4, 5], [1, 5]]), 8, 7)
    expected = np.zeros((8, 7), bool)
    expected[2:6, 1:5] = True
    assert (mask == expected).all()


def test_where_a_polygon_covers_itself_twice_is_outside() -> None:
    star = np.array([[10, 0], [16, 19], [0, 7], [20, 7], [4, 19]])
    mask = fill_polygon(star, 20, 21)
    assert not mask[10, 10]
    assert mask[7, 10] and mask[3, 10]


@given(POINTS)
@settings(max_examples=40, deadline=None)
def test_corners_inside_the_picture_belong_to_the_polygon(points: list[tuple[int, int]]) -> None:
    mask = fill_polygon(np.array(points), 16, 17)
    assert mask.shape == (16, 17)
    assert all(mask[y, x] for x, y in points if 0 <= x < 17 and 0 <= y < 16)


def test_a_polygon_elsewhere_leaves_the_picture_empty() -> None:
    assert not fill_polygon(np.array([[30, 1], [40, 1], [40, 9]]), 12, 12).any()
    assert not fill_polygon(np.array([[1, -9], [8, -9], [4, -2]]), 12, 12).any()


@pytest.mark.parametrize(
    "parts",
    [
        "M 0 0",
        [[1, 2, 3, 4]],  # pycocotools would take four numbers for a box
        [[0, 0, 5, 5, 9]],
        [[0, 0, 5, 5, 9, math.nan]],
        [[0, 0, 5, 1e9, 9, 0]],
        [[0, 0, 1e6, 1e6] * 2000],
        [[0, 0, 5, 5, 9, 0]] * 5000,
    ],
)
def test_a_polygon_that_is_none_is_one_sentence(parts: object) -> None:
    for rule in POLYGON_RULES:
        with pytest.raises(
            InputError, match=r"^set\.json is damaged: a .*polygon.* Fetch it again"
        ):
            true_mask(parts, 10, 10, rule, "set.json")
