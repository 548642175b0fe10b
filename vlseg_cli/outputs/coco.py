"""COCO instances: ``coco.json``, a whole data set of the predictions, and ``coco_results.json``.

The first opens in every annotation tool; the second is the list that ``COCO.loadRes`` and the
evaluation servers take. ``coco_boxes.json`` is that list for detection: boxes alone, no masks. All
use the same image and category ids; of all that is written, only the names of the categories are
held in memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from vlseg_cli import __version__
from vlseg_cli.outputs.categories import CategoryTable
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.json_stream import json_list, json_object, json_value
from vlseg_cli.outputs.records import by_frame
from vlseg_cli.schema import Record

_BOX_KEYS = ("image_id", "category_id", "bbox", "score")
_RESULT_KEYS = (*_BOX_KEYS, "segmentation")


def write_coco(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write both files; a frame is one image, whatever the number of prompts."""
    categories = CategoryTable()
    data = json_object(
        [
            ("info", json_value({"description": f"Predictions of vlseg {__version__}"})),
            ("images", json_list(_images(records, categories))),
            ("categories", json_list(categories.records())),
            ("annotations", json_list(_annotations(records, categories))),
        ]
    )
    folder.write_stream(data, "coco.json")
    results = _results(records, categories, _RESULT_KEYS)
    folder.write_stream(json_list(results), "coco_results.json")


def write_coco_boxes(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write the results of detection; ids are those of ``coco.json``."""
    categories = CategoryTable()
    for frame in by_frame(records):
        for record in frame:
            categories.add(record)
    folder.write_stream(json_list(_results(records, categories, _BOX_KEYS)), "coco_boxes.json")


def image_record(record: Record, image_id: int) -> dict[str, Any]:
    """One entry of the ``images`` list; ``file_name`` is the path as the user wrote it.

    Frames of a video also tell their number and their time in s.
    """
    image: dict[str, Any] = {
        "id": image_id,
        "file_name": record.input,
        "width": record.width,
        "height": record.height,
    }
    if record.is_video:
        image |= {"frame": record.frame, "time": record.time}
    return image


def _results(
    records: Iterable[Record], categories: CategoryTable, keys: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for annotation in _annotations(records, categories):
        yield {key: annotation[key] for key in keys}


def _images(records: Iterable[Record], categories: CategoryTable) -> Iterator[dict[str, Any]]:
    """All images; in passing, everything that was asked becomes a category."""
    for image_id, frame in enumerate(by_frame(records), start=1):
        for record in frame:
            categories.add(record)
        yield image_record(frame[0], image_id)


def _annotations(records: Iterable[Record], categories: CategoryTable) -> Iterator[dict[str, Any]]:
    number = 0
    for image_id, frame in enumerate(by_frame(records), start=1):
        for record in frame:
            for segment in record.segments:
                number += 1
                track = {} if segment.track_id is None else {"track_id": segment.track_id}
                yield {
                    "id": number,
                    "image_id": image_id,
                    "category_id": categories.id_of(record, segment),
                    "segmentation": segment.rle,
                    "area": segment.area,
                    "bbox": segment.bbox,
                    "iscrowd": 0,
                    "score": segment.score,
                    **track,
                }
