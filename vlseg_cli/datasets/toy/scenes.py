"""Scenes of the toy sets, and their masks as label maps, panoptic records and polygons."""

import io
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.datasets.class_names import ClassTable
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.panoptic import ids_to_rgb
from vlseg_cli.schema import segment_from_mask
from vlseg_cli.synthetic.categories import BY_NAME, NAMES
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.scene import Scene


@lru_cache(maxsize=32)
def toy_scene(seed: int, size: int) -> Scene:
    """The scene of a seed, ``size`` px along the longest side; the latest are remembered."""
    return draw_scene(seed, size)


def write_jpeg(folder: OutputFolder, scene: Scene, *parts: str) -> None:
    """Write a scene's pixels as a JPEG file. Raises OutputError if it cannot be written."""
    buffer = io.BytesIO()
    Image.fromarray(scene.pixels).save(buffer, "JPEG", quality=95)
    folder.write(buffer.getvalue(), *parts)


def write_png(folder: OutputFolder, pixels: NDArray[np.uint8 | np.uint16], *parts: str) -> None:
    """Write an array, (H, W) or (H, W, 3), as a PNG file. Raises OutputError."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    folder.write(buffer.getvalue(), *parts)


def write_json(folder: OutputFolder, data: Any, *parts: str) -> None:
    """Write a JSON file. Raises OutputError if it cannot be written."""
    folder.write(json.dumps(data).encode(), *parts)


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A thing, or all of a stuff class: position in the vocabulary, mask (H, W)."""

    place: int
    mask: NDArray[np.bool_]


def members(scene: Scene, table: ClassTable) -> list[Member]:
    """The items of a scene, stuff of one class together."""
    found: list[Member] = []
    stuff: dict[int, NDArray[np.bool_]] = {}
    for item in scene.items:
        place = place_of(item.category, table)
        if table.things[place]:
            found.append(Member(place, scene.mask(item.id)))
        else:
            stuff[place] = stuff.get(place, False) | scene.mask(item.id)
    return found + [Member(place, mask) for place, mask in stuff.items()]


def class_map(scene: Scene, table: ClassTable, void: int) -> NDArray[np.int64]:
    """Positions in the vocabulary (H, W), ``void`` where nothing is."""
    places = np.full(scene.ids.shape, void, np.int64)
    for member in members(scene, table):
        places[member.mask] = member.place
    return places


def place_of(category: str, table: ClassTable) -> int:
    """The class that has one of the category's names, else any class, always the same."""
    words = {category, *BY_NAME[category].words}
    for place, synonyms in enumerate(table.synonyms):
        if words & {word.strip() for word in synonyms.split(",")}:
            return place
    return NAMES.index(category) % len(table.names)


_STEP = 1000  # between ids, so that more than one color channel is in use


def panoptic_record(
    members: Sequence[Member], table: ClassTable, image_id: str, file_name: str
) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    """The entry of one picture with a segment per member, in their order, and its map."""
    ids = np.zeros(members[0].mask.shape, np.int32)
    segments = []
    for number, member in enumerate(members, start=1):
        ids[member.mask] = number * _STEP
        seen = segment_from_mask(member.mask, 1.0, "")
        segments.append(
            {
                "id": number * _STEP,
                "category_id": table.ids[member.place],
                "area": seen.area,
                "bbox": [int(side) for side in seen.bbox],
                "iscrowd": 0,
            }
        )
    record = {"image_id": image_id, "file_name": file_name, "segments_info": segments}
    return record, ids_to_rgb(ids)


def categories(table: ClassTable) -> list[dict[str, Any]]:
    """The vocabulary as panoptic files list it."""
    rows = zip(table.ids, table.names, table.things, strict=True)
    return [{"id": id, "name": name, "isthing": int(thing)} for id, name, thing in rows]


Corner = tuple[int, int]  # x, y between pixels

# Along a pixel's side with the mask on the right: where the side begins and ends, and the neighbor
# (row, column) that must be outside.
_SIDES = (
    ((0, 0), (1, 0), (-1, 0)),
    ((1, 0), (1, 1), (0, 1)),
    ((1, 1), (0, 1), (1, 0)),
    ((0, 1), (0, 0), (0, -1)),
)


def outline(mask: NDArray[np.bool_]) -> list[list[Corner]]:
    """Closed polygons around the parts of a (H, W) mask; holes are not told.

    Filling them as pycocotools does gives back the mask, its holes filled.
    """
    following = _sides(mask)
    polygons = []
    while following:
        corner = next(iter(following))
        loop: list[Corner] = []
        while corner in following:
            loop.append(corner)
            ends = following[corner]
            after = ends.pop()
            if not ends:
                del following[corner]
            corner = after
        if _area(loop) > 0:
            polygons.append(_straightened(loop))
    return polygons


def _sides(mask: NDArray[np.bool_]) -> dict[Corner, list[Corner]]:
    """Every side between mask and background, from its first corner to its second."""
    rim = np.pad(mask, 1)
    sides: dict[Corner, list[Corner]] = defaultdict(list)
    for (x0, y0), (x1, y1), (down, right) in _SIDES:
        outside = np.roll(rim, (-down, -right), (0, 1))
        for y, x in np.argwhere(rim & ~outside).tolist():
            sides[x - 1 + x0, y - 1 + y0].append((x - 1 + x1, y - 1 + y1))
    return dict(sides)


def _area(loop: list[Corner]) -> float:
    """Above 0 around a part, below 0 around a hole."""
    following = [*loop[1:], loop[0]]
    pairs = zip(loop, following, strict=True)
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs) / 2


def _straightened(loop: list[Corner]) -> list[Corner]:
    """The loop without corners in the middle of a straight side."""
    before, after = [loop[-1], *loop[:-1]], [*loop[1:], loop[0]]
    return [
        corner
        for first, corner, last in zip(before, loop, after, strict=True)
        if len({first[0], corner[0], last[0]}) > 1 and len({first[1], corner[1], last[1]}) > 1
    ]
