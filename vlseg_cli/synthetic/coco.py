"""A scene's truth as COCO records: instances, panoptic segments, sentences.

An annotation's id is the picture's id and the item's id in one number, so the same thing has the
same id in instances.json and among the ``ann_ids`` of a sentence.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.outputs.panoptic import ids_to_rgb
from vlseg_cli.schema.rle import encode_rle
from vlseg_cli.synthetic.categories import BY_NAME, CATEGORIES, NAMES
from vlseg_cli.synthetic.scene import EXPORTED_KINDS, Scene, SceneItem, Sentence, by_category

Record = dict[str, Any]

# Category ids count from 1 in the order of the table; 0 stays free for 'nothing'.
CATEGORY_ID: dict[str, int] = {name: number for number, name in enumerate(NAMES, start=1)}
_IDS_PER_PICTURE = 256  # an item's id is a byte


def scene_categories() -> list[Record]:
    """The categories of the world, as COCO's panoptic format wants them."""
    return [
        {"id": CATEGORY_ID[category.name], "name": category.name, "isthing": int(category.is_thing)}
        for category in CATEGORIES
    ]


def image_record(scene: Scene, file_name: str) -> Record:
    """The picture's entry; its id is the scene's seed."""
    height, width = scene.ids.shape
    return {
        "id": scene.seed,
        "file_name": file_name,
        "height": height,
        "width": width,
        "place": scene.scene_type,
    }


def instance_records(scene: Scene) -> list[Record]:
    """One annotation per visible thing, with its color word where it has one."""
    return [
        {
            "id": annotation_id(scene, item),
            "image_id": scene.seed,
            "category_id": CATEGORY_ID[item.category],
            "segmentation": encode_rle(scene.mask(item.id)),
            "bbox": _xywh(item.box),
            "area": item.area,
            "iscrowd": 0,
            "attributes": {"colour": item.color},
        }
        for item in scene.items
        if item.is_thing
    ]


def panoptic_record(scene: Scene, file_name: str) -> Record:
    """The segments of the picture; ids are those of ``panoptic_pixels``."""
    segments = []
    for parts in _segments(scene):
        x0, y0 = (min(item.box[axis] for item in parts) for axis in (0, 1))
        x1, y1 = (max(item.box[axis] for item in parts) for axis in (2, 3))
        segments.append(
            {
                "id": parts[0].id,
                "category_id": CATEGORY_ID[parts[0].category],
                "bbox": _xywh((x0, y0, x1, y1)),
                "area": sum(item.area for item in parts),
                "iscrowd": 0,
            }
        )
    return {"image_id": scene.seed, "file_name": file_name, "segments_info": segments}


def panoptic_pixels(scene: Scene) -> NDArray[np.uint8]:
    """Segment ids as RGB (H, W, 3): id = R + 256 G + 65536 B, 0 is void."""
    table = np.zeros(_IDS_PER_PICTURE, np.int32)
    for parts in _segments(scene):
        table[[item.id for item in parts]] = parts[0].id
    return ids_to_rgb(table[scene.ids])


def sentence_record(scene: Scene, sentence: Sentence, number: int) -> Record:
    """A sentence with the union of what it means.

    ann_ids: the things meant, in instances.json. segment_ids: all that is meant, in panoptic.json.
    """
    meant = [item for item in scene.items if item.id in sentence.targets]
    firsts = {item.id: parts[0].id for parts in _segments(scene) for item in parts}
    return {
        "id": number,
        "image_id": scene.seed,
        "sentence": sentence.text,
        "kind": EXPORTED_KINDS.get(sentence.kind, sentence.kind),
        "ann_ids": [annotation_id(scene, item) for item in meant if item.is_thing],
        "segment_ids": sorted({firsts[item.id] for item in meant}),
        "segmentation": encode_rle(scene.mask(*sentence.targets)),
    }


def annotation_id(scene: Scene, item: SceneItem) -> int:
    """The id of an item over all pictures."""
    return scene.seed * _IDS_PER_PICTURE + item.id


def _segments(scene: Scene) -> list[tuple[SceneItem, ...]]:
    """Things one by one; all regions of a stuff category together."""
    segments: list[tuple[SceneItem, ...]] = []
    for category, items in by_category(scene).items():
        segments += [(item,) for item in items] if BY_NAME[category].is_thing else [items]
    return segments


def _xywh(box: tuple[int, int, int, int]) -> list[int]:
    x0, y0, x1, y1 = box
    return [x0, y0, x1 - x0, y1 - y0]
