"""YOLO labels hold the masks as polygons in coordinates relative to the image size."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.path import Path as Polygon
from numpy.typing import NDArray
from outputs.sample_records import box, in_video, record
from scipy import ndimage

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.yolo import Points, mask_polygons, write_yolo
from vlseg_cli.schema import Record, decode_rle, segment_from_mask


def lines_of(folder: OutputFolder, *parts: str) -> list[list[float]]:
    """A label file, line by line."""
    text = folder.root.joinpath("yolo", "labels", *parts).read_text()
    return [[float(word) for word in line.split()] for line in text.splitlines()]


def test_polygons_reproduce_the_masks(folder: OutputFolder, panoptic_record: Record) -> None:
    write_yolo([panoptic_record], folder)
    lines = lines_of(folder, "kitchen.txt")
    assert [int(line[0]) for line in lines] == [1, 2, 0]
    for line, segment in zip(lines, panoptic_record.segments, strict=True):
        shares = np.array(line[1:]).reshape(-1, 2)
        assert shares.min() >= 0 and shares.max() <= 1
        mask = filled(
            [shares * (panoptic_record.width, panoptic_record.height)],
            panoptic_record.height,
            panoptic_record.width,
        )
        assert iou(mask, decode_rle(segment.rle)) > 0.9


def test_a_mask_of_two_components_is_two_lines(folder: OutputFolder) -> None:
    write_yolo([record(box(20, 30, 1, 1, 5, 5) | box(20, 30, 20, 8, 5, 5))], folder)
    assert [line[0] for line in lines_of(folder, "a.txt")] == [0, 0]


def test_the_data_file_lists_the_classes(
    folder: OutputFolder, panoptic_record: Record, reason_record: Record
) -> None:
    write_yolo([panoptic_record, replace(reason_record, prompt='a "red"\ncup')], folder)
    root = folder.root / "yolo"
    assert (root / "classes.txt").read_text().splitlines() == ["cup", "sky", "table", 'a "red" cup']
    assert (root / "data.yaml").read_text().splitlines()[-4:] == [
        '  0: "cup"',
        '  1: "sky"',
        '  2: "table"',
        '  3: "a \\"red\\" cup"',
    ]


def test_a_video_has_a_folder_and_empty_frames_have_a_file(
    folder: OutputFolder, reason_record: Record
) -> None:
    write_yolo(
        [in_video(reason_record, 3), replace(in_video(reason_record, 4), segments=())], folder
    )
    assert len(lines_of(folder, "film", "000003.txt")) == 1
    assert lines_of(folder, "film", "000004.txt") == []


def filled(polygons: list[Points], height: int, width: int) -> NDArray[np.bool_]:
    """Pixels whose center lies in one of the polygons."""
    y, x = np.mgrid[:height, :width] + 0.5
    centers = np.stack([x.ravel(), y.ravel()], -1)
    inside = np.zeros(height * width, bool)
    for polygon in polygons:
        inside |= Polygon(np.vstack([polygon, polygon[:1]]), closed=True).contains_points(centers)
    return inside.reshape(height, width)


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("seed", range(6))
def test_random_masks_survive_the_round_trip(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(size=(90, 120))
    mask = ndimage.binary_fill_holes(ndimage.gaussian_filter(noise, 7) > 0)
    polygons = mask_polygons(segment_from_mask(mask, 1, "blob"))
    assert len(polygons) == ndimage.label(mask)[1]
    assert iou(filled(polygons, 90, 120), mask) > 0.97


@pytest.mark.parametrize("place", [(0, 0), (13, 0), (0, 12), (13, 12), (7, 5)])
def test_boxes_at_image_borders_survive_the_round_trip(place: tuple[int, int]) -> None:
    mask = box(20, 20, *place, 7, 8)
    (polygon,) = mask_polygons(segment_from_mask(mask, 1, "box"))
    assert np.array_equal(filled([polygon], 20, 20), mask)
    assert len(polygon) == 8  # four sides, four cut corners
    assert polygon.min(0).tolist() == list(place)
    assert polygon.max(0).tolist() == [place[0] + 7, place[1] + 8]


def test_holes_are_filled_and_components_are_separate() -> None:
    mask = box(20, 30, 1, 1, 12, 12) & ~box(20, 30, 4, 4, 5, 5) | box(20, 30, 20, 3, 6, 6)
    polygons = mask_polygons(segment_from_mask(mask, 1, "ring and box"))
    assert len(polygons) == 2
    expected = box(20, 30, 1, 1, 12, 12) | box(20, 30, 20, 3, 6, 6)
    assert np.array_equal(filled(polygons, 20, 30), expected)


def test_one_pixel_is_a_polygon_and_an_empty_mask_has_none() -> None:
    (polygon,) = mask_polygons(segment_from_mask(box(5, 5, 2, 3, 1, 1), 1, "dot"))
    assert np.array_equal(polygon.mean(0), [2.5, 3.5])
    assert mask_polygons(segment_from_mask(np.zeros((5, 5), bool), 1, "nothing")) == []


def test_slanting_edges_have_few_points() -> None:
    y, x = np.mgrid[:200, :200]
    diamond = abs(x - 100) + abs(y - 100) <= 80
    (polygon,) = mask_polygons(segment_from_mask(diamond, 1, "diamond"))
    assert len(polygon) <= 8


def test_the_box_of_a_segment_does_not_cut_its_outline() -> None:
    segment = segment_from_mask(box(50, 60, 5, 6, 30, 40), 1.0, "it")
    elsewhere = replace(segment, bbox=(0.5, 0.5, 3.0, 3.0))
    (theirs,), (ours,) = mask_polygons(segment), mask_polygons(elsewhere)
    assert np.array_equal(theirs, ours)
