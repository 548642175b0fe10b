"""YOLO segmentation labels: masks as polygons in text files, ``classes.txt`` and ``data.yaml``."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.outputs.coco import CategoryTable
from vlseg_cli.outputs.folder import OutputFolder, frame_file
from vlseg_cli.outputs.records import by_frame
from vlseg_cli.schema import Record, Segment, bounds_rle, decode_rle

Points = NDArray[np.float64]


def mask_polygons(segment: Segment) -> list[Points]:
    """The outer polygon (S, 2) of each connected component, x and y in px from the image's corner.

    Edges run midway between the pixels inside and outside, so that slanted edges become straight
    lines; holes are filled.
    """
    from contourpy import FillType, contour_generator

    x, y, width, height = bounds_rle(segment.rle)
    if not segment.area:
        return []
    inside = np.pad(decode_rle(segment.rle)[y : y + height, x : x + width], 1).astype(np.float32)
    generator = contour_generator(z=inside, fill_type=FillType.OuterOffset)
    parts, offsets = cast(tuple[list[Points], list[Points]], generator.filled(0.5, 2.0))
    # A pixel's center is half a pixel from its corner, and padding moved everything by one.
    corner = np.array([x - 0.5, y - 0.5])
    return [
        corner + _without_collinear(part[: int(ends[1]) - 1])
        for part, ends in zip(parts, offsets, strict=True)
    ]


def _without_collinear(polygon: Points) -> Points:
    """Without points on the straight line between their neighbors."""
    before, after = polygon - np.roll(polygon, 1, 0), np.roll(polygon, -1, 0) - polygon
    turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    kept: Points = polygon[turns]
    return kept


def write_yolo(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write a label file per frame, ``yolo/classes.txt`` and ``yolo/data.yaml``.

    A frame without segments has an empty file, a negative example for training.
    """
    categories = CategoryTable()
    for frame in by_frame(records):
        for record in frame:
            categories.add(record)
        text = "".join(line + "\n" for line in _lines(frame, categories))
        first = frame[0]
        parts = frame_file(first.name, first.is_video, first.frame, ".txt")
        folder.write(text.encode(), "yolo", "labels", *parts)
    names = [_one_line(category["name"]) for category in categories.records()]
    folder.write("".join(name + "\n" for name in names).encode(), "yolo", "classes.txt")
    folder.write(_data_yaml(names).encode(), "yolo", "data.yaml")


def _lines(frame: Sequence[Record], categories: CategoryTable) -> Iterator[str]:
    """'class x y x y x y …', classes from 0 on."""
    for record in frame:
        size = record.width, record.height
        for segment in record.segments:
            number = categories.id_of(record, segment) - 1
            for polygon in mask_polygons(segment):
                shares = (polygon / size).clip(0, 1).ravel()
                yield " ".join([str(number), *(f"{share:.6f}" for share in shares)])


def _data_yaml(names: Sequence[str]) -> str:
    """Paths for training; users add the images in a folder beside the labels."""
    lines = ["path: .", "train: images", "val: images", "names:" if names else "names: {}"]
    for number, name in enumerate(names):
        lines.append(f"  {number}: {json.dumps(name, ensure_ascii=False)}")
    return "".join(line + "\n" for line in lines)


def _one_line(name: str) -> str:
    """Without line ends and invalid characters (of a file's name)."""
    return " ".join(name.split()).encode("utf-8", "replace").decode()
