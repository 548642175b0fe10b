"""RefCOCO as it lies on disk: units, mask rules, places of the pictures, and what is broken."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from vlseg_cli.datasets.polygons import true_mask
from vlseg_cli.datasets.refcoco import RefCOCODataset
from vlseg_cli.datasets.toy.refcoco import write_refcoco
from vlseg_cli.schema import Expression, InputError, NoInputError, Task, encode_rle

SEEDS = range(910000, 910004)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_refcoco(tmp_path, "refcoco", SEEDS, size=96)
    return tmp_path


def first_split(root: Path) -> str:
    return pickle.loads((root / "refcoco" / "refs(unc).p").read_bytes())[0]["split"]


def test_a_sentence_or_a_ref_is_a_query(root: Path) -> None:
    split = first_split(root)
    sentences, refs = (
        RefCOCODataset(root, "refcoco", split),
        RefCOCODataset(root, "refcoco", split, unit="ref"),
    )
    assert len(sentences) == len(refs) == 1
    each, joined = sentences[0].queries, refs[0].queries
    texts = [query.prompt.text for query in each if isinstance(query.prompt, Expression)]
    together = [query.prompt.text for query in joined if isinstance(query.prompt, Expression)]
    assert ". ".join(texts) == ". ".join(together)
    assert len(texts) == len(each) >= len(joined) == len(together)
    for query in each:
        assert query.task is Task.REFER and query.kind
        assert query.masks.shape == (1, *sentences[0].frame.pixels.shape[:2])
        assert query.masks.any()


def test_all_splits_together_are_all_refs(root: Path) -> None:
    refs = pickle.loads((root / "refcoco" / "refs(unc).p").read_bytes())
    found = 0
    for split in {ref["split"] for ref in refs}:
        dataset = RefCOCODataset(root, "refcoco", split, unit="ref")
        found += sum(len(dataset[number].queries) for number in range(len(dataset)))
    assert found == len(refs)


def test_pictures_may_lie_where_psalm_keeps_them(root: Path) -> None:
    (root / "images/mscoco/images/train2014").rename(root / "images/mscoco/train2014")
    assert RefCOCODataset(root, "refcoco", first_split(root))[0].queries


def test_three_rules_for_a_mask() -> None:
    left, right = [1.0, 1, 7, 1, 7, 7, 1, 7], [5.0, 1, 11, 1, 11, 7, 5, 7]
    union, once, filled = (
        true_mask([left, right], 10, 14, rule, "f.json") for rule in ("union", "sum", "fill")
    )
    assert (union.sum(), once.sum(), filled.sum()) == (60, 48, 77)
    assert (true_mask(encode_rle(union), 10, 14, "sum", "f.json") == union).all()
    runs = {"size": [2, 3], "counts": [1, 2, 3]}
    assert true_mask(runs, 2, 3, "union", "f.json").T.ravel().tolist() == [0, 1, 1, 0, 0, 0]


def test_what_is_missing_is_named(root: Path) -> None:
    with pytest.raises(NoInputError, match=r"no folder .*refcocog"):
        RefCOCODataset(root, "refcocog", "val")
    with pytest.raises(NoInputError, match="no split 'testC'"):
        RefCOCODataset(root, "refcoco", "testC")
    with pytest.raises(NoInputError, match="is missing"):
        RefCOCODataset(root, "refcoco", "val", refs="refs(google).p")


def test_an_image_of_another_size_is_an_error(root: Path) -> None:
    path = root / "refcoco" / "instances.json"
    data = json.loads(path.read_text())
    for image in data["images"]:
        image["width"] += 1
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match="another image"):
        RefCOCODataset(root, "refcoco", first_split(root))[0]


@pytest.mark.parametrize("table", ["images", "annotations"])
def test_refs_of_things_that_are_not_there_are_refused(root: Path, table: str) -> None:
    path = root / "refcoco" / "instances.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), table: []}))
    with pytest.raises(InputError, match="lacks"):
        RefCOCODataset(root, "refcoco", first_split(root))[0]


def test_a_pickle_with_code_is_refused(root: Path) -> None:
    path = root / "refcoco" / "refs(unc).p"
    path.write_bytes(pickle.dumps([np.float64(1)], protocol=2))
    with pytest.raises(InputError, match="needs no code"):
        RefCOCODataset(root, "refcoco", "val")
    path.write_bytes(b"no pickle")
    with pytest.raises(InputError, match="damaged"):
        RefCOCODataset(root, "refcoco", "val")
    path.write_bytes(pickle.dumps([{"ref_id": 1}]))
    with pytest.raises(InputError, match="not a list of refs"):
        RefCOCODataset(root, "refcoco", "val")


def test_a_generalized_sentence_means_several_things_or_none(tmp_path: Path) -> None:
    write_refcoco(tmp_path, "grefcoco", range(910000, 910008), size=96)
    queries = [
        query
        for split in ("train", "val", "testA", "testB")
        for dataset in [RefCOCODataset(tmp_path, "grefcoco", split)]
        for number in range(len(dataset))
        for query in dataset[number].queries
    ]
    assert {len(query.masks) for query in queries} == {0, 1}
    assert all((query.kind == "none") == (not len(query.masks)) for query in queries)
    refs = json.loads((tmp_path / "grefcoco" / "grefs(unc).json").read_text())
    assert any(ref["ann_id"] == [-1] for ref in refs) and any(len(r["ann_id"]) > 1 for r in refs)


def test_boxes_are_those_of_the_annotations(root: Path) -> None:
    split = first_split(root)
    (query, *_) = RefCOCODataset(root, "refcoco", split, task=Task.GROUND)[0].queries
    rows, columns = (np.flatnonzero(query.masks[0].any(axis)) for axis in (1, 0))
    assert query.task is Task.GROUND and query.boxes is not None
    x, y, width, height = query.boxes[0].tolist()
    assert (x, y) == (columns[0], rows[0])
    assert (x + width, y + height) == (columns[-1] + 1, rows[-1] + 1)
