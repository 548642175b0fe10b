"""Points, boxes, scribbles and masks as regions; invalid ones are one sentence."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.schema import UsageError
from vlseg_cli.schema.region import (
    box_region,
    mask_region,
    point_radius,
    point_region,
    scribble_region,
)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 39), st.integers(0, 29), st.integers(1, 6))
def test_a_point_is_a_disk_around_it(x: int, y: int, radius: int) -> None:
    mask = point_region([(x, y)], 30, 40, radius).mask
    rows, columns = np.nonzero(mask)
    assert mask[y, x]
    assert mask.shape == (30, 40)
    assert np.hypot(rows - y, columns - x).max() <= radius + 0.8


def test_several_points_are_one_region() -> None:
    region = point_region([(3, 3), (30, 20)], 30, 40)
    assert region.kind == "point"
    assert region.mask[3, 3] and region.mask[20, 30] and not region.mask[12, 16]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 39), st.integers(0, 29)), min_size=2, max_size=5))
def test_a_scribble_passes_through_its_points_and_between(points: list[tuple[int, int]]) -> None:
    region = scribble_region([(float(x), float(y)) for x, y in points], 30, 40)
    assert region.kind == "scribble"
    for (x0, y0), (x1, y1) in pairwise(points):
        assert region.mask[y0, x0] and region.mask[y1, x1]
        assert region.mask[(y0 + y1) // 2, (x0 + x1) // 2]


def test_a_box_is_filled_and_cut_at_the_edge() -> None:
    mask = box_region((-5, 10, 8, 400), 30, 40).mask
    assert mask[10:, :8].all()
    assert mask.sum() == 20 * 8


def test_radii_grow_with_the_image() -> None:
    assert point_radius(480, 640) == 10
    assert point_radius(100, 60) == 2


def test_a_mask_is_taken_as_it_is() -> None:
    mask = np.zeros((5, 6), bool)
    mask[2, 3] = True
    region = mask_region(mask)
    assert region.kind == "mask"
    assert (region.mask == mask).all()


def test_invalid_regions_are_one_sentence() -> None:
    with pytest.raises(UsageError, match="outside the 40 x 30 image"):
        point_region([(40, 3)], 30, 40)
    with pytest.raises(UsageError, match="outside the 40 x 30 image"):
        scribble_region([(3, 3), (3, -1)], 30, 40)
    with pytest.raises(UsageError, match="no point"):
        point_region([], 30, 40)
    with pytest.raises(UsageError, match="covers nothing"):
        box_region((50, 0, 60, 10), 30, 40)
    with pytest.raises(UsageError, match="covers nothing"):
        box_region((20, 5, 10, 15), 30, 40)
    with pytest.raises(UsageError, match="empty"):
        mask_region(np.zeros((3, 3), bool))
