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
from vlseg_cli.outputs.colors import DAVIS
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.panoptic import ids_to_rgb
from vlseg_cli.schema import segment_from_mask
from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.hands import NAMES
from vlseg_cli.synthetic.scene import Scene


@lru_cache(maxsize=32)
def toy_scene(seed: int, size: int) -> Scene:
    """The scene of a seed, ``size`` px along the longest side; cached."""
    return draw_scene(seed, size)


def image_bytes(
    pixels: NDArray[np.uint8 | np.uint16],
    kind: str = "PNG",
    palette: Sequence[int] = (),
    **options: Any,
) -> bytes:
    """An array, (H, W) or (H, W, 3), as an image file of a ``kind`` that Pillow knows."""
    image, buffer = Image.fromarray(pixels), io.BytesIO()
    if palette:
        image.putpalette(palette)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def write_jpeg(folder: OutputFolder, scene: Scene, *parts: str) -> None:
    """Write a scene's pixels as a JPEG file."""
    folder.write(image_bytes(scene.pixels, "JPEG", quality=95), *parts)


def write_png(folder: OutputFolder, pixels: NDArray[np.uint8 | np.uint16], *parts: str) -> None:
    """Write an array, (H, W) or (H, W, 3), as a PNG file."""
    folder.write(image_bytes(pixels), *parts)


def write_palette_png(folder: OutputFolder, numbers: NDArray[np.uint8], *parts: str) -> None:
    """Write numbers (H, W) as a PNG file with DAVIS's palette."""
    folder.write(image_bytes(numbers, palette=DAVIS), *parts)


def write_json(folder: OutputFolder, data: Any, *parts: str) -> None:
    """Write a JSON file."""
    folder.write(json.dumps(data).encode(), *parts)


@dataclass(frozen=True, slots=True, eq=False)
class ToySegment:
    """A thing, or all of a stuff class: index in the class list, mask (H, W)."""

    label: int
    mask: NDArray[np.bool_]


def toy_segments(scene: Scene, table: ClassTable) -> list[ToySegment]:
    """The segments of a scene by the classes of a data set."""
    found: list[ToySegment] = []
    stuff: dict[int, NDArray[np.bool_]] = {}
    for item in scene.items:
        label = label_of(item.category, table)
        if table.things[label]:
            found.append(ToySegment(label, scene.mask(item.id)))
        else:
            stuff[label] = stuff.get(label, False) | scene.mask(item.id)
    return found + [ToySegment(label, mask) for label, mask in stuff.items()]


def class_map(scene: Scene, table: ClassTable, void: int) -> NDArray[np.int64]:
    """Class indices (H, W), ``void`` elsewhere."""
    labels = np.full(scene.ids.shape, void, np.int64)
    for segment in toy_segments(scene, table):
        labels[segment.mask] = segment.label
    return labels


def label_of(category: str, table: ClassTable) -> int:
    """Index of the class that shares a name with the category, else a fixed arbitrary one."""
    words = {category, *BY_NAME[category].words}
    for label, synonyms in enumerate(table.synonyms):
        if words & {word.strip() for word in synonyms.split(",")}:
            return label
    return NAMES.index(category) % len(table.names)


_STEP = 1000  # between ids, so that more than one color channel is in use


def panoptic_record(
    found: Sequence[ToySegment], table: ClassTable, image_id: str, file_name: str
) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    """The panoptic record of an image with its segments, and its map."""
    ids = np.zeros(found[0].mask.shape, np.int32)
    segments = []
    for number, segment in enumerate(found, start=1):
        ids[segment.mask] = number * _STEP
        seen = segment_from_mask(segment.mask, 1.0, "")
        segments.append(
            {
                "id": number * _STEP,
                "category_id": table.ids[segment.label],
                "area": seen.area,
                "bbox": [int(side) for side in seen.bbox],
                "iscrowd": 0,
            }
        )
    record = {"image_id": image_id, "file_name": file_name, "segments_info": segments}
    return record, ids_to_rgb(ids)


def categories(table: ClassTable) -> list[dict[str, Any]]:
    """The classes as panoptic files list them."""
    rows = zip(table.ids, table.names, table.things, strict=True)
    return [{"id": id, "name": name, "isthing": int(thing)} for id, name, thing in rows]


Corner = tuple[int, int]  # x, y between pixels

# A pixel's sides, with the mask on the right: start, end, and the neighbor (row, column) outside.
_SIDES = (
    ((0, 0), (1, 0), (-1, 0)),
    ((1, 0), (1, 1), (0, 1)),
    ((1, 1), (0, 1), (1, 0)),
    ((0, 1), (0, 0), (0, -1)),
)


def outline(mask: NDArray[np.bool_]) -> list[list[Corner]]:
    """Closed polygons around the parts of a mask (H, W), without its holes.

    Filled by pycocotools they give back the mask with its holes filled.
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


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """COCO's uncompressed RLE: lengths of equal pixels, column by column, background first."""
    flat = np.concatenate([[False], mask.ravel(order="F")])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    return [int(run) for run in np.diff([0, *changes, mask.size])]
