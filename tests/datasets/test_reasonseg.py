"""ReasonSeg as it lies on disk: masks, kinds, encodings, and what is broken."""

import json
from pathlib import Path
from typing import Any

import pytest

from vlseg_cli.datasets.reasonseg import ReasonSegDataset, shape_masks
from vlseg_cli.datasets.toy.reasonseg import write_reasonseg
from vlseg_cli.schema import InputError, NoInputError, Question, Task

SEEDS = range(910000, 910003)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    assert write_reasonseg(tmp_path, "val", SEEDS, size=96)
    return tmp_path


def record(root: Path) -> Path:
    return sorted((root / "ReasonSeg" / "val").glob("*.json"))[0]


def test_every_picture_asks_its_question(root: Path) -> None:
    dataset = ReasonSegDataset(root, "val")
    assert len(dataset) == len(list((root / "ReasonSeg" / "val").glob("*.jpg")))
    for number in range(len(dataset)):
        sample = dataset[number]
        (query,) = sample.queries
        assert query.task is Task.REASON and query.kind in ("short", "long")
        assert query.masks.shape == (1, *sample.frame.pixels.shape[:2])
        assert query.ignore is not None and not (query.masks[0] & query.ignore).any()


def test_the_root_may_be_the_folder_of_the_splits(root: Path) -> None:
    assert len(ReasonSegDataset(root / "ReasonSeg", "val")) == len(ReasonSegDataset(root, "val"))


def test_other_files_do_not_matter_and_old_encodings_are_read(root: Path) -> None:
    path = record(root)
    data = {**json.loads(path.read_text()), "text": ["where is the café?", "and the bar?"]}
    path.write_bytes(json.dumps(data, ensure_ascii=False).encode("cp1252"))
    (path.parent / "masks.json").write_text("[]")
    assert ReasonSegDataset(root, "val")[0].queries[0].prompt == Question("where is the café?")
    assert len(ReasonSegDataset(root, "val", all_texts=True)[0].queries) == 2


def test_an_empty_target_is_no_mask(root: Path) -> None:
    path = record(root)
    path.write_text(json.dumps({**json.loads(path.read_text()), "shapes": []}))
    (query,) = ReasonSegDataset(root, "val")[0].queries
    assert query.masks.shape[0] == len(query.labels) == 0


def test_hyperseg_ignores_nothing(root: Path) -> None:
    query = ReasonSegDataset(root, "val", ignore_is_background=True)[0].queries[0]
    assert query.ignore is not None and not query.ignore.any()


def test_what_is_missing_or_broken_is_named(root: Path) -> None:
    with pytest.raises(NoInputError, match=r"no folder .*test"):
        ReasonSegDataset(root, "test")
    (root / "ReasonSeg" / "train").mkdir()
    with pytest.raises(NoInputError, match=r"no \*\.jpg"):
        ReasonSegDataset(root, "train")
    path = record(root)
    path.write_text('{"text": []}')
    with pytest.raises(InputError, match="has no 'is_sentence'"):
        ReasonSegDataset(root, "val")[0]
    path.write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        ReasonSegDataset(root, "val")[0]
    path.unlink()
    with pytest.raises(NoInputError, match="is missing"):
        ReasonSegDataset(root, "val")[0]


def square(label: str, first: int, last: int) -> dict[str, Any]:
    corners = [[first, first], [last, first], [last, last], [first, last]]
    return {"label": label, "points": corners}


def test_smaller_shapes_lie_on_larger_ones_in_whatever_order_they_come() -> None:
    shapes = [square("ignore", 3, 5), square("target", 1, 8), square("target", 4, 4)]
    target, ignore = shape_masks(shapes, 10, 10)
    assert target.sum() == 64 - 9 + 1
    assert ignore.sum() == 9 - 1
    assert target[4, 4] and not (target & ignore).any()


def test_of_equal_shapes_the_first_listed_ends_on_top() -> None:
    target, ignore = shape_masks([square("target", 2, 4), square("ignore", 2, 4)], 8, 8)
    assert (target.sum(), ignore.sum()) == (9, 0)


def test_flags_are_no_masks_and_any_ignore_is_one() -> None:
    shapes = [square("Flag", 0, 9), square("Ignored area", 1, 2), square("flagpole", 5, 6)]
    target, ignore = shape_masks(shapes, 10, 10)
    assert (target.sum(), ignore.sum()) == (4, 4)


def test_hyperseg_takes_ignored_pixels_for_background() -> None:
    shapes = [square("target", 1, 4), square("ignore", 0, 9)]
    larger = shape_masks(shapes, 10, 10, ignore_is_background=True)
    assert (larger.target.sum(), larger.ignore.sum()) == (16, 0)
    shapes[1] = square("ignore", 2, 3)
    assert shape_masks(shapes, 10, 10, ignore_is_background=True).target.sum() == 12


def test_no_shapes_leave_nothing() -> None:
    target, ignore = shape_masks([], 4, 6)
    assert target.shape == (4, 6) and not target.any() and not ignore.any()
