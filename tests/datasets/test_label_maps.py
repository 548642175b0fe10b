"""Maps of class numbers: palettes, 16 bits, what is ignored, and what is broken."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlseg_cli.datasets.ade20k_pascal import ade20k_semantic, pascal_context, pascal_voc
from vlseg_cli.datasets.label_maps import LabelMapDataset, paired, read_label_map
from vlseg_cli.datasets.toy.open_vocabulary import (
    write_ade20k,
    write_pascal_context,
    write_pascal_voc,
)
from vlseg_cli.schema import Categories, InputError, NoInputError

SEEDS = range(910000, 910002)
NAMES = Categories(("sky", "sea"), (True, True))


def write(folder: Path, numbers: np.ndarray, name: str = "a.png") -> tuple[Path, Path]:
    picture, labels = folder / "a.jpg", folder / name
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(picture)
    Image.fromarray(numbers).save(labels)
    return picture, labels


def test_numbers_become_masks_and_others_are_ignored(tmp_path: Path) -> None:
    pair = write(tmp_path, np.array([[7, 7, 9], [255, 0, 7]], np.uint8))
    (query,) = LabelMapDataset([pair], NAMES, (7, 8))[0].queries
    assert query.labels.tolist() == [0]
    assert query.masks[0].tolist() == [[True, True, False], [False, False, True]]
    assert query.ignore is not None and query.ignore.tolist() == (~query.masks[0]).tolist()


def test_sixteen_bits_and_palettes_are_numbers(tmp_path: Path) -> None:
    wide = np.array([[300, 65535, 0]], np.uint16)
    assert read_label_map(write(tmp_path, wide, "wide.tif")[1]).tolist() == wide.tolist()
    indexed = Image.fromarray(np.array([[3, 255]], np.uint8))
    indexed.putpalette([9] * 768)
    indexed.save(tmp_path / "indexed.png")
    assert read_label_map(tmp_path / "indexed.png").tolist() == [[3, 255]]


def test_what_is_broken_is_named(tmp_path: Path) -> None:
    picture, labels = write(tmp_path, np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match=r"a.png differs in size from .*a.jpg"):
        LabelMapDataset([(picture, labels)], NAMES, (0, 1))[0]
    with pytest.raises(InputError, match="it has color channels"):
        read_label_map(picture)
    with pytest.raises(NoInputError, match="no folder"):
        paired(tmp_path / "none", tmp_path, ".jpg", ".png")
    with pytest.raises(NoInputError, match=r"has no \*\.tif"):
        paired(tmp_path, tmp_path, ".jpg", ".tif")


def test_published_forms(tmp_path: Path) -> None:
    write_ade20k(tmp_path / "ade", SEEDS, 96)
    write_pascal_context(tmp_path / "context", SEEDS, 96)
    write_pascal_voc(tmp_path / "voc", SEEDS, 96)
    for dataset, classes in (
        (ade20k_semantic(tmp_path / "ade", "plain", "val"), 150),
        (pascal_context(tmp_path / "context", "synonyms", "val", 59), 59),
        (pascal_context(tmp_path / "context", "synonyms", "val", 459), 459),
        (pascal_voc(tmp_path / "voc", "plain", "val"), 20),
    ):
        assert len(dataset) == len(SEEDS) and len(dataset.categories.names) == classes
        (query,) = dataset[1].queries
        assert query.masks.any((1, 2)).all() and (query.masks.sum(0) <= 1).all()
    with pytest.raises(NoInputError, match=r"train.txt is missing"):
        pascal_voc(tmp_path / "voc", "plain", "train")
