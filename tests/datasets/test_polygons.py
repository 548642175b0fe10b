"""Three rules for one object: what they share and where they differ."""

import numpy as np

from vlseg_cli.datasets.polygons import polygon_fill, polygon_sum, polygon_union

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
