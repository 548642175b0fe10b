"""YOLO segmentation labels: ``yolo/labels/NAME.txt``, a polygon per line, in shares of the picture.

A mask of several parts is several lines, and holes are filled: the format has words for neither.
"""

import json
from collections.abc import Iterable, Iterator, Sequence

from vlseg_cli.outputs.categories import CategoryTable
from vlseg_cli.outputs.folder import OutputFolder, frame_file
from vlseg_cli.outputs.polygons import outlines
from vlseg_cli.outputs.store import by_frame
from vlseg_cli.schema import Record


def write_yolo(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write a label file per frame, ``yolo/classes.txt`` and ``yolo/data.yaml``.

    A frame in which nothing was found has an empty file: that, too, is to be learnt.
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
            for polygon in outlines(segment):
                shares = (polygon / size).clip(0, 1).ravel()
                yield " ".join([str(number), *(f"{share:.6f}" for share in shares)])


def _data_yaml(names: Sequence[str]) -> str:
    """Where training looks; images lie beside the labels, in a folder that users add."""
    lines = ["path: .", "train: images", "val: images", "names:" if names else "names: {}"]
    for number, name in enumerate(names):
        lines.append(f"  {number}: {json.dumps(name, ensure_ascii=False)}")
    return "".join(line + "\n" for line in lines)


def _one_line(name: str) -> str:
    """Without line ends, and without what is no text at all (parts of a file's name)."""
    return " ".join(name.split()).encode("utf-8", "replace").decode()
