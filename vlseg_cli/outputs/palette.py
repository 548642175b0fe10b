"""Palette PNGs in the layout of DAVIS and YouTube-VOS: ``palette/Annotations/NAME/00000.png``.

The value of a pixel is the number of its object, 0 is background; ``palette/meta.json`` has each
object's category and the frames in which it is visible.
"""

import io
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.outputs.coco import category_name
from vlseg_cli.outputs.colors import DAVIS
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.records import by_frame, json_object
from vlseg_cli.schema import FormatError, Record, Segment, decode_rle

MOST_OBJECTS = 255  # the largest object number of a palette PNG


class NumberedObject(NamedTuple):
    """A segment, the number of its object, and the object's category."""

    segment: Segment
    number: int
    category: str


@dataclass(slots=True)
class _PaletteState:
    """An object of an item: its category, and the frames in which it is visible."""

    category: str
    frames: "array[int]" = field(default_factory=lambda: array("Q"))


def write_palette(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write the PNGs and ``meta.json``; only the entry of one item is held in memory.

    Raises FormatError, before it writes, if a frame has more objects than a palette has values.
    """
    for frame in by_frame(records):
        _check(frame[0], numbered_objects(frame))
    items = groupby(records, key=lambda record: record.name)
    videos = ((name, _write_item(of_item, folder)) for name, of_item in items)
    folder.write_stream(json_object([("videos", json_object(videos))]), "palette", "meta.json")


def numbered_objects(frame: Sequence[Record]) -> list[NumberedObject]:
    """The objects of a frame, with their numbers from 1 on.

    A tracked segment has the number of its track; all segments of a sentence are one object; every
    segment of categories and regions is one.
    """
    found: list[NumberedObject] = []
    number = 0
    for record in frame:
        is_sentence = isinstance(record.prompt, str)
        number += is_sentence
        for segment in record.segments:
            number += not is_sentence
            own = number if segment.track_id is None else segment.track_id
            found.append(NumberedObject(segment, own, category_name(record, segment)))
    return found


def object_map(objects: Iterable[NumberedObject], height: int, width: int) -> NDArray[np.uint8]:
    """Numbers of objects (H, W); small ones are drawn over large ones."""
    numbers = np.zeros((height, width), np.uint8)
    for one in sorted(objects, key=lambda one: -one.segment.area):
        numbers[decode_rle(one.segment.rle)] = one.number
    return numbers


def _write_item(records: Iterator[Record], folder: OutputFolder) -> dict[str, Any]:
    """Write the PNGs of an item; returns its entry in ``meta.json``."""
    seen: dict[int, _PaletteState] = {}
    for frame in by_frame(records):
        first, objects = frame[0], numbered_objects(frame)
        for one in objects:
            entry = seen.setdefault(one.number, _PaletteState(one.category))
            if not entry.frames or entry.frames[-1] != first.frame:
                entry.frames.append(first.frame)
        picture = Image.fromarray(object_map(objects, first.height, first.width))
        picture.putpalette(DAVIS)
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        parts = ("palette", "Annotations", first.name, f"{first.frame:05d}.png")
        folder.write(buffer.getvalue(), *parts)
    return {
        "objects": {
            str(number): {
                "category": entry.category,
                "frames": [f"{frame:05d}" for frame in entry.frames],
            }
            for number, entry in sorted(seen.items())
        }
    }


def _check(record: Record, objects: Iterable[NumberedObject]) -> None:
    for one in objects:
        if not 1 <= one.number <= MOST_OBJECTS:
            raise FormatError(
                f"{record.input} has an object number {one.number} in frame {record.frame}, but a"
                f" palette holds 1 to {MOST_OBJECTS}: save as coco or panoptic instead."
            )
