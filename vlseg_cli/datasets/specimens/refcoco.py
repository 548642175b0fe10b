"""RefCOCO's folders from drawn scenes: refs with up to three sentences, in every split."""

import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.specimens.outline import outline
from vlseg_cli.datasets.specimens.pictures import write_jpeg, write_json
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.worlds import coco
from vlseg_cli.worlds.draw import draw_scene
from vlseg_cli.worlds.referring import refer
from vlseg_cli.worlds.scene import Item, Scene

_STREAM = 5  # of a seed's random numbers
_TRIES = 16  # sentences drawn per scene
_MOST_SENTENCES = 3  # of one ref
_SPLITS = {
    "refcoco": ("train", "val", "testA", "testB"),
    "refcoco+": ("train", "val", "testA", "testB"),
    "refcocog": ("train", "val", "test"),
}
_SPLIT_BY = {"refcoco": "unc", "refcoco+": "unc", "refcocog": "umd"}


def write_refcoco(root: Path, name: str, seeds: range, size: int = 192) -> int:
    """Write refs, instances.json and pictures of 'refcoco', 'refcoco+' or 'refcocog' below root.

    Scenes go to the splits in turn, so four seeds fill them all. size: longest side, px. Returns
    the number of refs. Raises OutputError if a file cannot be written.
    """
    folder = OutputFolder(root)
    tables: dict[str, list[coco.Record]] = defaultdict(list)
    splits = _SPLITS[name]
    for number, seed in enumerate(seeds):
        scene = draw_scene(seed, size)
        file_name = f"COCO_train2014_{seed:012d}.jpg"
        write_jpeg(folder, scene, "images", "mscoco", "images", "train2014", file_name)
        tables["images"].append(coco.image_record(scene, file_name))
        tables["annotations"] += _annotations(scene)
        for item, texts in _sentences(scene).items():
            split = splits[number % len(splits)]
            tables["refs"].append(_ref(scene, item, texts, split, len(tables["refs"])))
    refs = tables.pop("refs", [])
    write_json(folder, {**tables, "categories": coco.category_records()}, name, "instances.json")
    folder.write(pickle.dumps(refs, protocol=2), name, f"refs({_SPLIT_BY[name]}).p")
    return len(refs)


def _annotations(scene: Scene) -> list[coco.Record]:
    """COCO's records with polygons in the place of runs."""
    items = [item for item in scene.items if item.is_thing]
    records = coco.instance_records(scene)
    for item, record in zip(items, records, strict=True):
        polygons = outline(scene.mask(item.id))
        record["segmentation"] = [
            [float(v) for corner in part for v in corner] for part in polygons
        ]
    return records


def _sentences(scene: Scene) -> dict[Item, list[str]]:
    """Different sentences by the one thing each means."""
    rng = np.random.default_rng((scene.seed, _STREAM))
    things = {item.id: item for item in scene.items if item.is_thing}
    found: dict[Item, list[str]] = {}
    for _ in range(_TRIES):
        sentence = refer(scene, rng)
        if sentence is None or len(sentence.targets) != 1 or sentence.targets[0] not in things:
            continue
        texts = found.setdefault(things[sentence.targets[0]], [])
        if sentence.text not in texts and len(texts) < _MOST_SENTENCES:
            texts.append(sentence.text)
    return found


def _ref(scene: Scene, item: Item, texts: list[str], split: str, number: int) -> dict[str, Any]:
    annotation = coco.annotation_id(scene, item)
    first = number * _MOST_SENTENCES
    return {
        "ref_id": number,
        "ann_id": annotation,
        "image_id": scene.seed,
        "category_id": coco.CATEGORY_ID[item.category],
        "split": split,
        # As published, this is no picture's name: the annotation's number is appended to it.
        "file_name": f"COCO_train2014_{scene.seed:012d}_{annotation}.jpg",
        "sent_ids": [first + i for i in range(len(texts))],
        "sentences": [
            {"sent_id": first + i, "sent": text, "raw": text, "tokens": text.split()}
            for i, text in enumerate(texts)
        ],
    }
