"""Polygons filled again equal the mask."""

import numpy as np
from hypothesis import given, settings
from hypothesis.extra import numpy as npst
from scipy.ndimage import binary_fill_holes

from vlseg_cli.datasets.polygons import polygon_union
from vlseg_cli.datasets.toy.scenes import outline


@given(npst.arrays(bool, (7, 9)))
@settings(max_examples=60, deadline=None)
def test_filling_the_outline_gives_the_mask_without_holes(mask: np.ndarray) -> None:
    polygons = [[float(v) for corner in part for v in corner] for part in outline(mask)]
    assert bool(polygons) == mask.any()
    if polygons:
        filled = polygon_union(polygons, *mask.shape)
        assert (filled >= mask).all()
        assert (filled <= binary_fill_holes(mask)).all()


def test_a_rectangle_has_four_corners() -> None:
    mask = np.zeros((6, 8), bool)
    mask[1:4, 2:7] = True
    (polygon,) = outline(mask)
    assert sorted(polygon) == [(2, 1), (2, 4), (7, 1), (7, 4)]
