"""YOLO labels hold the masks as polygons, in shares of the picture."""

from dataclasses import replace

import numpy as np
from outputs.answers import box, in_video, record
from outputs.test_polygons import filled, iou

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.yolo import write_yolo
from vlseg_cli.schema import Record, decode_rle


def lines_of(folder: OutputFolder, *parts: str) -> list[list[float]]:
    """A label file, line by line."""
    text = folder.root.joinpath("yolo", "labels", *parts).read_text()
    return [[float(word) for word in line.split()] for line in text.splitlines()]


def test_polygons_are_the_masks(folder: OutputFolder, mapped: Record) -> None:
    write_yolo([mapped], folder)
    lines = lines_of(folder, "kitchen.txt")
    assert [int(line[0]) for line in lines] == [1, 2, 0]
    for line, segment in zip(lines, mapped.segments, strict=True):
        shares = np.array(line[1:]).reshape(-1, 2)
        assert shares.min() >= 0 and shares.max() <= 1
        mask = filled([shares * (mapped.width, mapped.height)], mapped.height, mapped.width)
        assert iou(mask, decode_rle(segment.rle)) > 0.9


def test_a_mask_of_two_parts_is_two_lines(folder: OutputFolder) -> None:
    write_yolo([record(box(20, 30, 1, 1, 5, 5) | box(20, 30, 20, 8, 5, 5))], folder)
    assert [line[0] for line in lines_of(folder, "a.txt")] == [0, 0]


def test_classes_are_named_for_tools(folder: OutputFolder, mapped: Record, asked: Record) -> None:
    write_yolo([mapped, replace(asked, prompt='a "red"\ncup')], folder)
    root = folder.root / "yolo"
    assert (root / "classes.txt").read_text().splitlines() == ["cup", "sky", "table", 'a "red" cup']
    assert (root / "data.yaml").read_text().splitlines()[-4:] == [
        '  0: "cup"',
        '  1: "sky"',
        '  2: "table"',
        '  3: "a \\"red\\" cup"',
    ]


def test_frames_of_a_video_have_a_folder_and_empty_ones_a_file(
    folder: OutputFolder, asked: Record
) -> None:
    write_yolo([in_video(asked, 3), replace(in_video(asked, 4), segments=())], folder)
    assert len(lines_of(folder, "film", "000003.txt")) == 1
    assert lines_of(folder, "film", "000004.txt") == []
