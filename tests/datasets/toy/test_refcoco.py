"""Toy RefCOCO has the published files and keys."""

import json
import pickle
from pathlib import Path

import pytest

from vlseg_cli.datasets.toy.refcoco import write_refcoco


@pytest.mark.parametrize(("name", "split_by"), [("refcoco+", "unc"), ("refcocog", "umd")])
def test_files_and_keys(name: str, split_by: str, tmp_path: Path) -> None:
    count = write_refcoco(tmp_path, name, range(910000, 910004), size=96)
    refs = pickle.loads((tmp_path / name / f"refs({split_by}).p").read_bytes())
    data = json.loads((tmp_path / name / "instances.json").read_text())
    assert len(refs) == count > 0
    annotations = {one["id"]: one for one in data["annotations"]}
    for ref in refs:
        assert annotations[ref["ann_id"]]["image_id"] == ref["image_id"]
        assert annotations[ref["ann_id"]]["category_id"] == ref["category_id"]
        assert 1 <= len(ref["sentences"]) == len(ref["sent_ids"]) <= 3
    parts = [part for one in data["annotations"] for part in one["segmentation"]]
    assert all(len(part) >= 8 and len(part) % 2 == 0 for part in parts)


def test_the_same_seeds_give_the_same_bytes(tmp_path: Path) -> None:
    for place in ("a", "b"):
        write_refcoco(tmp_path / place, "refcoco", range(910000, 910002), size=96)
    for file in (tmp_path / "a").rglob("*.*"):
        if file.is_file():
            twin = tmp_path / "b" / file.relative_to(tmp_path / "a")
            assert twin.read_bytes() == file.read_bytes()
