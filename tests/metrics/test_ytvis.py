"""Tracks: the IoU of tubes by hand, sizes by mean area, absent frames."""

import numpy as np
import pytest

from vlseg_cli.evaluation.metrics.average_precision import Detection, TrueInstance
from vlseg_cli.evaluation.metrics.ytvis import VideoAveragePrecision, mean_area, tube_iou
from vlseg_cli.schema import RLE, InputError, encode_rle


def rows(count: int) -> RLE:
    mask = np.zeros((10, 10), bool)
    mask[:count] = True
    return encode_rle(mask)


def test_tubes_add_pixels_over_frames() -> None:
    assert tube_iou([rows(4), rows(2), None, None], [rows(8), None, rows(3), None]) == 40 / 130
    assert tube_iou([None, rows(0)], [rows(0), None]) == 0
    with pytest.raises(ValueError, match="longer"):
        tube_iou([rows(1)], [rows(1), rows(1)])


def test_the_size_of_a_track_is_its_mean_where_visible() -> None:
    tube = [rows(5), None, rows(10)]
    meter = VideoAveragePrecision([1])
    small = TrueInstance(1, tube, mean_area([128.0**2 - 2, None, 128.0**2 + 1]))
    meter.add("video", [small], [Detection(1, tube, 0.5)])
    stats = meter.result().stats
    assert (stats["AP"], stats["APs"]) == (pytest.approx(1), pytest.approx(1))
    assert stats["APm"] is None


def test_a_detection_of_a_group_is_neither_right_nor_wrong() -> None:
    group = TrueInstance(1, [rows(8)], 80.0, is_crowd=True)
    one = TrueInstance(1, [rows(2)], 20.0)
    meter = VideoAveragePrecision([1, 2])
    meter.add(1, [group, one], [Detection(1, [rows(8)], 0.9), Detection(1, [rows(2)], 0.5)])
    result = meter.result()
    assert result.stats["AP"] == pytest.approx(1)
    assert result.per_category[2] is None


def test_a_video_counts_once() -> None:
    meter = VideoAveragePrecision([1])
    meter.add(1, [], [])
    with pytest.raises(InputError, match="twice"):
        meter.add(1, [], [])
