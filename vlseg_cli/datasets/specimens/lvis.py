"""LVIS's table from drawn scenes: pictures without a file name, categories with their synonyms."""

from pathlib import Path

from vlseg_cli.datasets.specimens.coco import instance_annotations
from vlseg_cli.datasets.specimens.pictures import write_jpeg, write_json
from vlseg_cli.datasets.specimens.scenes import specimen_scene
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.worlds import coco
from vlseg_cli.worlds.categories import CATEGORIES

_ADDRESS = "http://images.cocodataset.org"


def write_lvis(root: Path, seeds: range, size: int = 192) -> None:
    """Write ``lvis/lvis_v1_val.json`` and ``coco/{train,val}2017`` below root, pictures in turn.

    size: longest side, px. Raises OutputError if a file cannot be written.
    """
    folder, images, annotations = OutputFolder(root), [], []
    for seed in seeds:
        scene = specimen_scene(seed, size)
        part, name = ("train2017", "val2017")[seed % 2], f"{seed:012d}.jpg"
        write_jpeg(folder, scene, "coco", part, name)
        things = instance_annotations(scene)
        present = {one["category_id"] for one in things}
        image = coco.image_record(scene, name)
        del image["file_name"]
        searched = {
            "coco_url": f"{_ADDRESS}/{part}/{name}",
            "neg_category_ids": [one["id"] for one in _categories() if one["id"] not in present],
            "not_exhaustive_category_ids": [],
        }
        images.append({**image, **searched})
        annotations += [
            {key: value for key, value in one.items() if key != "iscrowd"} for one in things
        ]
    table = {"images": images, "annotations": annotations, "categories": _categories()}
    write_json(folder, table, "lvis", "lvis_v1_val.json")


def _categories() -> list[coco.Record]:
    found = []
    for category in (one for one in CATEGORIES if one.is_thing):
        words = [word.replace(" ", "_") for word in (category.name, *category.words)]
        number = coco.CATEGORY_ID[category.name]
        found.append({"id": number, "name": words[0], "synonyms": words, "frequency": "f"})
    return found
