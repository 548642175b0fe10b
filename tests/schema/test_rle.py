"""Run-length masks are pycocotools' own, come back as they were, and know their box."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from vlseg_cli.schema import bounds_rle, checked_rle, decode_rle, encode_rle, segment_from_mask

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12))


@given(masks)
def test_a_mask_comes_back(mask) -> None:
    rle = encode_rle(mask)
    assert rle["size"] == list(mask.shape)
    assert (decode_rle(rle) == mask).all()


def test_runs_go_down_the_columns() -> None:
    mask = np.zeros((3, 4), bool)
    mask[1:, 1] = True
    assert encode_rle(mask) == {"size": [3, 4], "counts": "426"}  # 4 off, 2 on, 6 off


@given(masks)
def test_the_box_is_that_of_the_segment(mask) -> None:
    segment = segment_from_mask(mask, 0.5, "cup")
    assert bounds_rle(segment.rle) == segment.bbox
    assert segment.area == mask.sum()
    x, y, width, height = map(int, segment.bbox)
    assert mask[y : y + height, x : x + width].sum() == mask.sum()
    if mask.any():
        assert mask[y].any() and mask[y + height - 1].any()
        assert mask[:, x].any() and mask[:, x + width - 1].any()


def test_runs_are_read_in_either_notation() -> None:
    mask = np.zeros((3, 4), bool)
    mask[1:, 1] = True
    text = {"size": [3, 4], "counts": "426"}
    assert checked_rle(text) == checked_rle({"size": [3, 4], "counts": [4, 2, 6]}) == text
    empty_runs = {"size": [3, 4], "counts": [4, 1, 0, 1, 6, 0]}  # where pycocotools stops reading
    assert checked_rle(empty_runs, (3, 4)) == text


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ({"size": [100_000, 100_000], "counts": "426"}, "more than an image may have"),
        ({"size": [3, 5], "counts": "426"}, "5 x 3 px, but its image is 4 x 3"),
        ({"size": [3, True], "counts": "426"}, "two whole numbers"),
        ({"size": [3, 4], "counts": "425"}, "do not cover"),
        ({"size": [3, 4], "counts": "42V"}, "no compressed runs"),  # the last number goes on
        ({"size": [3, 4], "counts": "4é6"}, "no compressed runs"),
        ({"size": [3, 4], "counts": "ooooooo0"}, "no compressed runs"),
        ({"size": [3, 4], "counts": [16, -4]}, "below 0"),
        ({"size": [3, 4], "counts": [4, 2.0, 6]}, "whole numbers"),
        ([4, 2, 6], "no table"),
    ],
)
def test_a_mask_that_is_none_is_refused(stated: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        checked_rle(stated, None if "more" in reason else (3, 4))
