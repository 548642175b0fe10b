"""COCO instances: ``coco.json``, a data set of the predictions, and ``coco_results.json``.

The first opens in annotation tools; the second is the list that ``COCO.loadRes`` and evaluation
servers take; ``coco_boxes.json`` is that list for detection, without masks. All share image and
category ids. A category name has one id in all images and prompts of a run, from 1; only these
names are held in memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypedDict

from vlseg_cli import __version__
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.records import by_frame, json_list, json_object
from vlseg_cli.schema import Record, Segment, Task

_REGION_TASKS = (Task.INTERACTIVE, Task.VOS)


class CategoryRecord(TypedDict):
    """A category as COCO writes it; ``isthing`` is 1 for countable ones."""

    id: int
    name: str
    isthing: int


class CategoryTable:
    """Names so far and their ids. A sentence is a category of its own."""

    def __init__(self) -> None:
        self._categories: dict[str, CategoryRecord] = {}

    def add(self, record: Record) -> None:
        """Add the categories of a prompt in its order, so that ids hardly depend on predictions."""
        if isinstance(record.prompt, str):
            self._id(record.prompt)
        elif record.task in _REGION_TASKS:  # named by their labels: 'point 1', 'box 2'
            for segment in record.segments:
                self._id(segment.label)
        else:
            for index, name in enumerate(record.prompt):
                self._id(name, index not in record.stuff)

    def id_of(self, record: Record, segment: Segment) -> int:
        """The id of the category that a segment of a record belongs to."""
        return self._id(category_name(record, segment))

    def records(self) -> Iterator[CategoryRecord]:
        """The ``categories`` list of a COCO file."""
        yield from self._categories.values()

    def _id(self, name: str, is_thing: bool = True) -> int:
        new = CategoryRecord(id=len(self._categories) + 1, name=name, isthing=int(is_thing))
        return self._categories.setdefault(name, new)["id"]


def category_name(record: Record, segment: Segment) -> str:
    """The sentence, the category name of the prompt, or else the label."""
    if isinstance(record.prompt, str):
        return record.prompt
    if segment.category_id is not None and segment.category_id < len(record.prompt):
        return record.prompt[segment.category_id]
    return segment.label


_BOX_KEYS = ("image_id", "category_id", "bbox", "score")
_RESULT_KEYS = (*_BOX_KEYS, "segmentation")


def write_coco(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write both files; a frame is one image, whatever the number of prompts."""
    categories = CategoryTable()
    data = json_object(
        [
            ("info", {"description": f"Predictions of vlseg {__version__}"}),
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

    Frames of a video also have their index and their time in s.
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
    """All images; adds the categories of all prompts on the way."""
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
