"""COCO panoptic: a PNG per frame with id = R + 256 G + 65536 B, and ``panoptic.json`` beside them.

Id 0 is unlabeled; id i is the i-th segment of that map. Further maps of one frame, of further
prompts, are in a folder of its name.
"""

import io
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.outputs.coco import CategoryTable, image_record
from vlseg_cli.outputs.folder import OutputFolder, frame_file
from vlseg_cli.outputs.records import by_frame, json_list, json_object
from vlseg_cli.schema import Record, Task, decode_rle

_MAPS = (Task.PANOPTIC, Task.SEMANTIC)  # tasks whose segments share no pixel


def write_panoptic(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write ``panoptic/NAME.png`` (a video: ``panoptic/NAME/000012.png``) and the JSON file."""
    categories = CategoryTable()
    data = json_object(
        [
            ("images", json_list(_images(records, categories))),
            ("categories", json_list(categories.records())),
            ("annotations", json_list(_annotations(records, categories, folder))),
        ]
    )
    folder.write_stream(data, "panoptic.json")


def ids_to_rgb(ids: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Ids (H, W) in [0, 2^24) to colors (H, W, 3)."""
    return np.stack([ids & 255, ids >> 8 & 255, ids >> 16 & 255], axis=-1).astype(np.uint8)


def segment_ids(record: Record) -> NDArray[np.int32]:
    """The segment of each pixel (H, W): 0 for none, i for the i-th."""
    ids = np.zeros((record.height, record.width), np.int32)
    for number, segment in enumerate(record.segments, start=1):
        ids[decode_rle(segment.rle)] = number
    return ids


def _maps(records: Iterable[Record]) -> Iterator[tuple[Record, tuple[str, ...]]]:
    """The records that are maps, with the file of each below ``panoptic/``."""
    for frame in by_frame(records):
        maps = [record for record in frame if record.task in _MAPS]
        for number, record in enumerate(maps, start=1):
            frame_key = record.name, record.is_video, record.frame
            if number == 1:
                yield record, frame_file(*frame_key, ".png")
            else:
                yield record, (*frame_file(*frame_key, ""), f"{number}.png")


def _images(records: Iterable[Record], categories: CategoryTable) -> Iterator[dict[str, Any]]:
    for image_id, (record, _) in enumerate(_maps(records), start=1):
        categories.add(record)
        yield image_record(record, image_id)


def _annotations(
    records: Iterable[Record], categories: CategoryTable, folder: OutputFolder
) -> Iterator[dict[str, Any]]:
    """All annotations; writes the PNGs on the way."""
    for image_id, (record, parts) in enumerate(_maps(records), start=1):
        buffer = io.BytesIO()
        Image.fromarray(ids_to_rgb(segment_ids(record))).save(buffer, "PNG")
        folder.write(buffer.getvalue(), "panoptic", *parts)
        yield {
            "image_id": image_id,
            "file_name": "/".join(parts),
            "segments_info": _segments_info(record, categories),
        }


def _segments_info(record: Record, categories: CategoryTable) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "category_id": categories.id_of(record, segment),
            "area": segment.area,
            "bbox": [int(side) for side in segment.bbox],
            "iscrowd": 0,
        }
        for number, segment in enumerate(record.segments, start=1)
    ]
