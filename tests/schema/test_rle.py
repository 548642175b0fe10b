"""Run-length masks are pycocotools' own, come back as they were, and know their box."""

import numpy as np
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from vlseg_cli.schema import bounds_rle, decode_rle, encode_rle, segment_from_mask

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
