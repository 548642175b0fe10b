"""`vlseg segment` with the embedded model: whole images, categories and regions."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlseg_cli.schema import decode_rle


@pytest.mark.parametrize("task", ["panoptic", "semantic"])
def test_panoptic_segments_do_not_overlap(vlseg, kitchen: Path, task: str) -> None:
    ran = vlseg("segment", "kitchen.png", "--task", task, "--save", "panoptic", "--json")
    (record,) = ran.records
    assert record["task"] == task
    masks = [decode_rle(segment["segmentation"]) for segment in record["segments"]]
    assert np.sum(masks, axis=0).max() == 1
    out = kitchen.parent / "vlseg-out"
    ids = np.asarray(Image.open(out / "panoptic" / "kitchen.png")).astype(int) @ [1, 256, 65536]
    infos = json.loads((out / "panoptic.json").read_text())["annotations"][0]["segments_info"]
    for info, mask in zip(infos, masks, strict=True):
        assert np.array_equal(ids == info["id"], mask)


def test_only_named_categories_are_segmented(vlseg, kitchen: Path) -> None:
    ran = vlseg("segment", kitchen, "--task", "instance", "--categories", "fridge, cup", "--json")
    (record,) = ran.records
    assert record["prompt"] == ["fridge", "cup"]
    assert {segment["label"] for segment in record["segments"]} <= {"fridge", "cup"}


def test_each_region_gets_its_own_segment(vlseg, kitchen: Path) -> None:
    Image.new("L", Image.open(kitchen).size, 255).save(kitchen.parent / "mask.png")
    regions = ["--point", "90,120", "--box", "20,30,120,150", "--scribble", "10,10;60,60"]
    ran = vlseg("segment", "kitchen.png", *regions, "--mask", "mask.png", "--json")
    (record,) = ran.records
    assert record["task"] == "interactive"
    assert record["prompt"] == ["point", "box", "scribble", "mask"]
    assert len(record["segments"]) == 4
