"""A scene's ground truth as COCO records: instances, panoptic segments, sentences.

An annotation's id combines the ids of image and item, so an item has the same id in instances.json
and in the ``ann_ids`` of a sentence.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.outputs.panoptic import ids_to_rgb
from vlseg_cli.schema.rle import encode_rle
from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.hands import NAMES
from vlseg_cli.synthetic.scene import EXPORTED_KINDS, Scene, SceneItem, Sentence, by_category

Record = dict[str, Any]

# Category ids count from 1 in the order of the table; 0 is void.
CATEGORY_ID: dict[str, int] = {name: number for number, name in enumerate(BY_NAME, start=1)}
_IDS_PER_IMAGE = 256  # an item's id is a byte


def scene_categories(names: Iterable[str] = NAMES) -> list[Record]:
    """The categories of these names, as in COCO's panoptic files."""
    return [
        {"id": CATEGORY_ID[name], "name": name, "isthing": int(BY_NAME[name].is_thing)}
        for name in names
    ]


def image_record(scene: Scene, file_name: str) -> Record:
    """The record of the image; its id is the scene's seed."""
    height, width = scene.ids.shape
    return {
        "id": scene.seed,
        "file_name": file_name,
        "height": height,
        "width": width,
        "place": scene.scene_type,
    }


def instance_records(scene: Scene) -> list[Record]:
    """One annotation per visible thing, with its color word."""
    return [
        {
            "id": annotation_id(scene, item),
            "image_id": scene.seed,
            "category_id": CATEGORY_ID[item.category],
            "segmentation": encode_rle(scene.mask(item.id)),
            "bbox": xywh(item.box),
            "area": item.area,
            "iscrowd": 0,
            "attributes": {"colour": item.color},
        }
        for item in scene.items
        if item.is_thing
    ]


def panoptic_record(scene: Scene, file_name: str) -> Record:
    """The segments of the image; ids are those of ``panoptic_pixels``."""
    segments = []
    for items in _segments(scene):
        x0, y0 = (min(item.box[axis] for item in items) for axis in (0, 1))
        x1, y1 = (max(item.box[axis] for item in items) for axis in (2, 3))
        segments.append(
            {
                "id": items[0].id,
                "category_id": CATEGORY_ID[items[0].category],
                "bbox": xywh((x0, y0, x1, y1)),
                "area": sum(item.area for item in items),
                "iscrowd": 0,
            }
        )
    return {"image_id": scene.seed, "file_name": file_name, "segments_info": segments}


def panoptic_pixels(scene: Scene) -> NDArray[np.uint8]:
    """Segment ids as RGB (H, W, 3): id = R + 256 G + 65536 B, 0 is void."""
    table = np.zeros(_IDS_PER_IMAGE, np.int32)
    for items in _segments(scene):
        table[[item.id for item in items]] = items[0].id
    return ids_to_rgb(table[scene.ids])


def sentence_record(scene: Scene, sentence: Sentence, number: int) -> Record:
    """A sentence with the union mask of its targets.

    ann_ids: target things in instances.json. segment_ids: all targets in panoptic.json.
    """
    targets = [item for item in scene.items if item.id in sentence.targets]
    firsts = {item.id: items[0].id for items in _segments(scene) for item in items}
    return {
        "id": number,
        "image_id": scene.seed,
        "sentence": sentence.text,
        "kind": EXPORTED_KINDS.get(sentence.kind, sentence.kind),
        "ann_ids": [annotation_id(scene, item) for item in targets if item.is_thing],
        "segment_ids": sorted({firsts[item.id] for item in targets}),
        "segmentation": encode_rle(scene.mask(*sentence.targets)),
    }


def annotation_id(scene: Scene, item: SceneItem) -> int:
    """The id of an item over all images."""
    return scene.seed * _IDS_PER_IMAGE + item.id


def _segments(scene: Scene) -> list[tuple[SceneItem, ...]]:
    """Each thing by itself, all regions of a stuff category together."""
    segments: list[tuple[SceneItem, ...]] = []
    for category, items in by_category(scene).items():
        segments += [(item,) for item in items] if BY_NAME[category].is_thing else [items]
    return segments


def xywh(box: tuple[int, int, int, int]) -> list[int]:
    """A box x0, y0, x1, y1 as COCO's x, y, width, height."""
    x0, y0, x1, y1 = box
    return [x0, y0, x1 - x0, y1 - y0]
