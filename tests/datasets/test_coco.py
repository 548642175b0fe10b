"""COCO's forms: instances with crowds and gaps in the ids, panoptic maps, pointing."""

import json
from pathlib import Path

import numpy as np
import pytest

from vlseg_cli.datasets.coco_instances import COCOInstancesDataset
from vlseg_cli.datasets.coco_interactive import COCOInteractiveDataset
from vlseg_cli.datasets.coco_panoptic import COCOPanopticDataset
from vlseg_cli.datasets.toy.coco import write_coco
from vlseg_cli.schema import InputError, NoInputError, Regions, Task
from vlseg_cli.synthetic.draw import draw_scene

SEEDS = range(910000, 910002)


@pytest.fixture(scope="module")
def toy_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_coco(root, SEEDS, 96)
    return root


def edited(path: Path, target: Path, change) -> Path:
    """A copy of a JSON file with a change."""
    data = json.loads(path.read_text())
    change(data)
    target.write_text(json.dumps(data))
    return target


def test_instances_are_the_things_of_the_scene(toy_root: Path) -> None:
    dataset = COCOInstancesDataset(
        toy_root / "annotations/instances_val2017.json", toy_root / "val2017"
    )
    sample, scene = dataset[0], draw_scene(SEEDS[0], 96)
    (query,) = sample.queries
    things = [item for item in scene.items if item.is_thing]
    assert query.task is Task.INSTANCE and query.crowd is not None and query.areas is not None
    assert query.crowd.tolist() == [False] * len(things) + [True]
    (first, *_) = [item for item in scene.items if not item.is_thing]
    assert (query.masks[-1] == scene.mask(first.id)).all()  # stored as uncompressed runs
    for mask, label, area, item in zip(
        query.masks, query.labels, query.areas, things, strict=False
    ):
        assert dataset.categories.names[label] == item.category and area == item.area
        assert (mask & scene.mask(item.id)).sum() == item.area  # an outline fills its holes


def test_gaps_in_the_ids_are_closed_in_their_order(toy_root: Path, tmp_path: Path) -> None:
    def change(data) -> None:
        data["categories"] = [{"id": 90, "name": "b"}, {"id": 7, "name": "a"}]
        data["annotations"] = [{**data["annotations"][0], "category_id": 90}]

    table = edited(toy_root / "annotations/instances_val2017.json", tmp_path / "t.json", change)
    dataset = COCOInstancesDataset(table, toy_root / "val2017", rename=str.upper)
    assert dataset.categories.names == ("A", "B")
    assert [dataset[n].queries[0].labels.tolist() for n in (0, 1)] == [[1], []]


def test_panoptic_maps_cover_every_pixel(toy_root: Path) -> None:
    dataset = COCOPanopticDataset(
        toy_root / "annotations/panoptic_val2017.json",
        toy_root / "panoptic_val2017",
        toy_root / "val2017",
        lambda name: name.replace(".png", ".jpg"),
    )
    (query,) = dataset[1].queries
    scene = draw_scene(SEEDS[1], 96)
    assert query.task is Task.PANOPTIC and query.ignore is not None and query.areas is not None
    assert (query.masks.sum(0) + query.ignore == 1).all()
    assert (query.ignore == (scene.ids == 0)).all()
    assert query.areas.tolist() == query.masks.sum((1, 2)).tolist()


@pytest.mark.parametrize("kind", ["point", "scribble", "box", "mask"])
def test_prompts_of_each_kind(toy_root: Path, kind) -> None:
    (query,) = COCOInteractiveDataset(toy_root, kind)[0].queries
    assert isinstance(query.prompt, Regions)
    assert len(query.prompt.regions) == len(query.masks) == len(query.labels)
    for region, mask in zip(query.prompt.regions, query.masks, strict=True):
        assert region.kind == kind and (region.mask & mask).any()
    if kind == "point":  # a disk of 10 px around the stored pixel, cut off at the edges
        inner = [one.mask for one in query.prompt.regions if not _at_edge(one.mask)]
        assert inner and all(mask.sum() == 317 for mask in inner)


def _at_edge(mask: np.ndarray) -> bool:
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())


def test_crowds_and_empty_prompts_are_left_out(toy_root: Path, tmp_path: Path) -> None:
    (tmp_path / "val2017").symlink_to(toy_root / "val2017")
    name = "coco_interactive_val_psalm.json"

    def change(data) -> None:
        data[0]["anns"][0]["iscrowd"] = 1
        size = data[0]["anns"][1]["segmentation"] and data[0]["image_info"]
        empty = {"size": [size["height"], size["width"]], "counts": ""}
        data[0]["anns"][1]["box_visual_prompt_mask"] = empty

    edited(toy_root / name, tmp_path / name, change)
    whole = COCOInteractiveDataset(toy_root, "box")[0].queries[0]
    text_of = COCOInteractiveDataset(tmp_path, "box")[0].queries[0]
    assert len(text_of.masks) == len(whole.masks) - 2


def test_what_is_broken_is_named(toy_root: Path, tmp_path: Path) -> None:
    table = toy_root / "annotations/instances_val2017.json"
    with pytest.raises(NoInputError, match="is missing"):
        COCOInstancesDataset(tmp_path / "none.json", toy_root / "val2017")
    lacking = edited(table, tmp_path / "a.json", lambda data: data.pop("categories"))
    with pytest.raises(InputError, match="lacks 'categories'"):
        COCOInstancesDataset(lacking, toy_root / "val2017")
    wrong = edited(table, tmp_path / "b.json", lambda data: data["images"][0].update(width=1))
    with pytest.raises(InputError, match="differs in size"):
        COCOInstancesDataset(wrong, toy_root / "val2017")[0]
    other = edited(table, tmp_path / "c.json", lambda data: data["categories"].clear())
    with pytest.raises(InputError, match="unknown category"):
        COCOInstancesDataset(other, toy_root / "val2017")[0]
