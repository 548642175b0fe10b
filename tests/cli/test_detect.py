"""`vlseg detect` with the embedded model: boxes are those of the masks."""

import json
from pathlib import Path

import numpy as np

from vlseg_cli.schema import decode_rle


def test_boxes_fit_their_masks(vlseg, kitchen: Path) -> None:
    (record,) = vlseg("detect", kitchen, "--json").records
    assert record["task"] == "detect"
    for segment in record["segments"]:
        rows, columns = np.nonzero(decode_rle(segment["segmentation"]))
        x, y, width, height = segment["bbox"]
        assert (x, y) == (columns.min(), rows.min())
        assert (x + width - 1, y + height - 1) == (columns.max(), rows.max())


def test_only_named_objects_are_detected(vlseg, kitchen: Path) -> None:
    (record,) = vlseg("detect", kitchen, "--categories", "tree", "--json").records
    assert {segment["label"] for segment in record["segments"]} <= {"tree"}


def test_a_description_is_found_with_its_box(vlseg, kitchen: Path) -> None:
    described = ("--refer", "the table", "--refer", "the sky")
    ran = vlseg("detect", kitchen, *described, "--json", "--save", "coco,boxes,overlay")
    assert ran.code == 0
    assert [record["prompt"] for record in ran.records] == ["the table", "the sky"]
    assert {record["task"] for record in ran.records} == {"ground"}
    boxes = json.loads(Path("vlseg-out/coco_boxes.json").read_text())
    assert [box["bbox"] for box in boxes] == [s["bbox"] for r in ran.records for s in r["segments"]]
    assert all(box.keys() == {"image_id", "category_id", "bbox", "score"} for box in boxes)


def test_names_and_descriptions_exclude_each_other(vlseg, kitchen: Path) -> None:
    ran = vlseg("detect", kitchen, "--refer", "the cup", "--categories", "cup")
    assert ran.code == 2 and "give one of them" in ran.err
    assert "--many goes with --refer" in vlseg("detect", kitchen, "--many").err
    assert "The description is empty" in vlseg("detect", kitchen, "--refer", " ").err
