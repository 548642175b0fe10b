"""Toy RefCOCO, RefCOCO+, RefCOCOg and gRefCOCO: refs with up to three sentences in every split."""

import json
import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.refcoco import REFS, RefCOCOName
from vlseg_cli.datasets.toy.coco import instance_annotations
from vlseg_cli.datasets.toy.scenes import toy_scene, write_jpeg, write_json
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.synthetic import coco
from vlseg_cli.synthetic.referring import no_target_expression, referring_expression
from vlseg_cli.synthetic.scene import Scene, SceneItem

_STREAM = 5  # of a seed's random numbers
_TRIES = 16  # sentences drawn per scene
_MOST_SENTENCES = 3  # of one ref
_NO_TARGET_EVERY = 5  # in gRefCOCO, one sentence without target
_SPLITS: dict[RefCOCOName, tuple[str, ...]] = {
    "refcoco": ("train", "val", "testA", "testB"),
    "refcoco+": ("train", "val", "testA", "testB"),
    "refcocog": ("train", "val", "test"),
    "grefcoco": ("train", "val", "testA", "testB"),
}
_Items = tuple[SceneItem, ...]


def write_refcoco(
    root: Path, name: RefCOCOName, seeds: range, size: int = 192, splits: tuple[str, ...] = ()
) -> int:
    """Write refs, instances.json and images of one of the four sets below root.

    Scenes are assigned to the splits in turn. size: longest side, px. splits: () for all. Returns
    the number of refs. Raises OutputError if a file cannot be written.
    """
    folder = OutputFolder(root)
    tables: dict[str, list[coco.Record]] = defaultdict(list)
    splits, general = splits or _SPLITS[name], name == "grefcoco"
    for number, seed in enumerate(seeds):
        scene = toy_scene(seed, size)
        file_name = f"COCO_train2014_{seed:012d}.jpg"
        write_jpeg(folder, scene, "images", "mscoco", "images", "train2014", file_name)
        tables["images"].append(coco.image_record(scene, file_name))
        tables["annotations"] += instance_annotations(scene)
        for items, texts in _sentences(scene, general).items():
            ref = _ref(scene, texts, splits[number % len(splits)], len(tables["refs"]))
            tables["refs"].append({**ref, **(_several if general else _one)(scene, items)})
    refs = tables.pop("refs", [])
    write_json(folder, {**tables, "categories": coco.scene_categories()}, name, "instances.json")
    data = json.dumps(refs).encode() if general else pickle.dumps(refs, protocol=2)
    folder.write(data, name, REFS[name])
    return len(refs)


def _sentences(scene: Scene, general: bool) -> dict[_Items, list[str]]:
    """Different sentences by their target; general: also by several targets, or none."""
    rng = np.random.default_rng((scene.seed, _STREAM))
    things = {item.id: item for item in scene.items if item.is_thing}
    found: dict[_Items, list[str]] = {}
    for turn in range(_TRIES):
        absent = general and turn % _NO_TARGET_EVERY == 0
        sentence = no_target_expression(scene, rng) if absent else referring_expression(scene, rng)
        if sentence is None or not things.keys() >= set(sentence.targets):
            continue
        if len(sentence.targets) != 1 and not general:
            continue
        texts = found.setdefault(tuple(things[one] for one in sentence.targets), [])
        if sentence.text not in texts and len(texts) < _MOST_SENTENCES:
            texts.append(sentence.text)
    return found


def _ref(scene: Scene, texts: list[str], split: str, number: int) -> dict[str, Any]:
    first = number * _MOST_SENTENCES
    return {
        "ref_id": number,
        "image_id": scene.seed,
        "split": split,
        "sent_ids": [first + i for i in range(len(texts))],
        "sentences": [
            {"sent_id": first + i, "sent": text, "raw": text, "tokens": text.split()}
            for i, text in enumerate(texts)
        ],
    }


def _one(scene: Scene, items: _Items) -> dict[str, Any]:
    """The fields of a ref of RefCOCO."""
    annotation = coco.annotation_id(scene, items[0])
    return {
        "ann_id": annotation,
        "category_id": coco.CATEGORY_ID[items[0].category],
        # As published, the annotation id is appended to the image's name.
        "file_name": f"COCO_train2014_{scene.seed:012d}_{annotation}.jpg",
    }


def _several(scene: Scene, items: _Items) -> dict[str, Any]:
    """The fields of a ref of gRefCOCO; -1 stands for no target."""
    return {
        "ann_id": [coco.annotation_id(scene, item) for item in items] or [-1],
        "category_id": [coco.CATEGORY_ID[item.category] for item in items] or [-1],
        "file_name": f"COCO_train2014_{scene.seed:012d}.jpg",
        "no_target": not items,
    }
