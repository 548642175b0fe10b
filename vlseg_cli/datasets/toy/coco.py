"""Toy COCO: instances, panoptic maps, COCO-Interactive's prompts, and LVIS."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.toy.scenes import (
    outline,
    run_lengths,
    toy_scene,
    write_jpeg,
    write_json,
    write_png,
)
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import encode_rle
from vlseg_cli.synthetic import coco
from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.hands import NAMES
from vlseg_cli.synthetic.regions import region_prompt
from vlseg_cli.synthetic.scene import Scene, SceneItem

_STREAM = 8  # of a seed's random numbers


def write_coco(root: Path, seeds: range, size: int = 192) -> None:
    """Write val2017, instances, panoptic maps and COCO-Interactive's list below root.

    size: longest side, px. Raises OutputError if a file cannot be written.
    """
    folder = OutputFolder(root)
    images: list[coco.Record] = []
    instances: list[coco.Record] = []
    panoptic: list[coco.Record] = []
    interactive: list[coco.Record] = []
    for seed in seeds:
        scene = toy_scene(seed, size)
        stem = f"{seed:012d}"
        write_jpeg(folder, scene, "val2017", f"{stem}.jpg")
        write_png(folder, coco.panoptic_pixels(scene), "panoptic_val2017", f"{stem}.png")
        images.append(coco.image_record(scene, f"{stem}.jpg"))
        things = instance_annotations(scene)
        instances += [*things, *_crowd(scene)]
        panoptic.append(coco.panoptic_record(scene, f"{stem}.png"))
        if things:
            interactive.append(_prompted(scene, images[-1], things, len(interactive)))
    categories = coco.scene_categories()
    listed = [one for one in categories if one["isthing"]]
    tables = {
        "instances_val2017.json": {"annotations": instances, "categories": listed},
        "panoptic_val2017.json": {"annotations": panoptic, "categories": categories},
    }
    for name, table in tables.items():
        write_json(folder, {"images": images, **table}, "annotations", name)
    write_json(folder, interactive, "coco_interactive_val_psalm.json")


def instance_annotations(scene: Scene) -> list[coco.Record]:
    """COCO's records of the visible things, with polygons instead of RLE."""
    things = [item for item in scene.items if item.is_thing]
    records = coco.instance_records(scene)
    for item, record in zip(things, records, strict=True):
        polygons = outline(scene.mask(item.id))
        record["segmentation"] = [
            [float(v) for corner in part for v in corner] for part in polygons
        ]
    return records


def _crowd(scene: Scene) -> list[coco.Record]:
    """A crowd of the first thing's category in place of a stuff region, as uncompressed RLE."""
    things = [item for item in scene.items if item.is_thing]
    stuff = [item for item in scene.items if not item.is_thing]
    if not (things and stuff):
        return []
    mask = scene.mask(stuff[0].id)
    return [
        {
            "id": scene.seed * 256,
            "image_id": scene.seed,
            "category_id": coco.CATEGORY_ID[things[0].category],
            "segmentation": {"size": list(mask.shape), "counts": run_lengths(mask)},
            "bbox": coco.xywh(stuff[0].box),
            "area": stuff[0].area,
            "iscrowd": 1,
        }
    ]


def _prompted(
    scene: Scene, image: coco.Record, things: list[coco.Record], number: int
) -> coco.Record:
    """One entry of PSALM's list: every thing with prompts of four kinds."""
    rng = np.random.default_rng((scene.seed, _STREAM))
    items = [item for item in scene.items if item.is_thing]
    annotations = []
    for item, record in zip(items, things, strict=True):
        prompts: dict[str, NDArray[np.bool_]] = {
            "point": _center_pixel(scene, item),
            "scribble": _widest_row(scene, item),
            "box": region_prompt(scene, rng, "box", item).mask,
            "mask": region_prompt(scene, rng, "mask", item).mask,
        }
        drawn = {f"{kind}_visual_prompt_mask": encode_rle(m) for kind, m in prompts.items()}
        annotations.append({**record, **drawn})
    return {
        "image": image["file_name"],
        "image_info": image,
        "new_img_id": number,
        "anns": annotations,
    }


def _center_pixel(scene: Scene, item: SceneItem) -> NDArray[np.bool_]:
    """The pixel of an item nearest to its center."""
    pixels = np.argwhere(scene.ids == item.id)
    x, y = item.center
    row, column = pixels[np.argmin(((pixels - (y, x)) ** 2).sum(1))]
    point = np.zeros(scene.ids.shape, bool)
    point[row, column] = True
    return point


def _widest_row(scene: Scene, item: SceneItem) -> NDArray[np.bool_]:
    """The pixels of an item in the row where it is widest."""
    mask = scene.mask(item.id)
    stroke = np.zeros(mask.shape, bool)
    row = int(mask.sum(1).argmax())
    stroke[row] = mask[row]
    return stroke


_URL = "http://images.cocodataset.org"


def write_lvis(root: Path, seeds: range, size: int = 192) -> None:
    """Write ``lvis/lvis_v1_val.json`` and ``coco/{train,val}2017`` below root, images in turn.

    size: longest side, px. Raises OutputError if a file cannot be written.
    """
    folder, images, annotations = OutputFolder(root), [], []
    for seed in seeds:
        scene = toy_scene(seed, size)
        part, name = ("train2017", "val2017")[seed % 2], f"{seed:012d}.jpg"
        write_jpeg(folder, scene, "coco", part, name)
        things = instance_annotations(scene)
        present = {one["category_id"] for one in things}
        image = coco.image_record(scene, name)
        del image["file_name"]
        coverage = {
            "coco_url": f"{_URL}/{part}/{name}",
            "neg_category_ids": [one["id"] for one in _categories() if one["id"] not in present],
            "not_exhaustive_category_ids": [],
        }
        images.append({**image, **coverage})
        annotations += [
            {key: value for key, value in one.items() if key != "iscrowd"} for one in things
        ]
    table = {"images": images, "annotations": annotations, "categories": _categories()}
    write_json(folder, table, "lvis", "lvis_v1_val.json")


def _categories() -> list[coco.Record]:
    found = []
    for category in (BY_NAME[name] for name in NAMES if BY_NAME[name].is_thing):
        words = [word.replace(" ", "_") for word in (category.name, *category.words)]
        number = coco.CATEGORY_ID[category.name]
        found.append({"id": number, "name": words[0], "synonyms": words, "frequency": "f"})
    return found
