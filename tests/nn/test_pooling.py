"""Points of a region are in it, evenly spread, and pooled features are their mean."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.nn.pooling import pool_regions, region_points
from vlseg_cli.schema.region import box_region, point_region


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 1), st.integers(1, 300))
def test_points_are_spread_evenly_over_the_pixels(seed: int, share: float, count: int) -> None:
    mask = np.random.default_rng(seed).random((20, 30)) < share
    mask[7, 11] = True
    points = region_points(torch.from_numpy(mask), count)
    assert points.shape == (count, 2)
    columns, rows = (points * torch.tensor([30, 20])).round().long().unbind(-1)
    assert mask[rows, columns].all()
    used = np.zeros(mask.shape, int)
    np.add.at(used, (rows.numpy(), columns.numpy()), 1)
    assert used[mask].max() - used[mask].min() <= 1
    inside = np.flatnonzero(mask.ravel())
    places = np.searchsorted(inside, np.flatnonzero(used.ravel()))
    gaps = np.diff([*places, len(inside)])
    assert gaps.max() - gaps.min() <= 1, "some part of the region is left out"


def test_a_region_of_one_kind_of_feature_is_that_feature() -> None:
    """Left half of the map says 1, the right half 2; regions lie well inside."""
    features = torch.ones(1, 3, 8, 8)
    features[..., 4:] = 2
    regions = [box_region((2, 5, 10, 30), 64, 64), point_region([(56, 32)], 64, 64, 4)]
    masks = torch.from_numpy(np.stack([region.mask for region in regions]))
    pooled = pool_regions(features.expand(2, -1, -1, -1), masks)
    assert torch.allclose(pooled, torch.tensor([[1.0] * 3, [2.0] * 3]))


def test_points_have_no_half_pixel_shift_and_corners_align() -> None:
    """PSALM's sampling: pixel (row, column) reads the map at row/H·(h-1), column/W·(w-1)."""
    features = torch.stack([torch.arange(5.0).expand(5, 5), torch.arange(5.0).expand(5, 5).T])
    mask = torch.zeros(1, 10, 20, dtype=torch.bool)
    mask[0, 3, 7] = True
    pooled = pool_regions(features[None], mask)
    assert pooled[0].tolist() == pytest.approx([7 / 20 * 4, 3 / 10 * 4], abs=1e-5)


def test_the_dtype_of_the_features_is_kept() -> None:
    mask = torch.ones(1, 4, 4, dtype=torch.bool)
    assert pool_regions(torch.ones(1, 2, 4, 4).bfloat16(), mask).dtype == torch.bfloat16


def test_an_empty_region_is_refused() -> None:
    with pytest.raises(ValueError, match="no pixels"):
        region_points(torch.zeros(4, 4, dtype=torch.bool))
