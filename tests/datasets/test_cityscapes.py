"""Cityscapes: things, groups and void of an instanceIds map; pictures in folders of cities."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlseg_cli.datasets.cityscapes import cityscapes_instances, cityscapes_panoptic
from vlseg_cli.datasets.toy.open_vocabulary import write_cityscapes
from vlseg_cli.schema import NoInputError

SEEDS = range(910000, 910002)


def test_things_groups_and_void(tmp_path: Path) -> None:
    write_cityscapes(tmp_path, SEEDS, 96)
    path = next((tmp_path / "gtFine" / "val" / "frankfurt").iterdir())
    ids = np.full(np.asarray(Image.open(path)).shape, 7, np.uint16)  # road
    ids[:2], ids[2:4], ids[4:6], ids[6:8] = 24001, 26, 3, 26000  # person, cars, void, car
    for one in (tmp_path / "gtFine" / "val" / "frankfurt").iterdir():
        Image.fromarray(ids).save(one)
    (query,) = cityscapes_instances(tmp_path, "plain", "val")[0].queries
    names = cityscapes_instances(tmp_path, "plain", "val").categories.names
    assert [names[label] for label in query.labels] == ["car", "person", "car"]
    assert query.crowd is not None and query.crowd.tolist() == [True, False, False]
    assert [np.flatnonzero(mask.any(1)).tolist() for mask in query.masks] == [
        [2, 3],
        [0, 1],
        [6, 7],
    ]
    assert query.ignore is not None and np.flatnonzero(query.ignore.any(1)).tolist() == [4, 5]


def test_panoptic_maps_know_their_pictures(tmp_path: Path) -> None:
    write_cityscapes(tmp_path, SEEDS, 96)
    instances = cityscapes_instances(tmp_path, "plain", "val")
    panoptic = cityscapes_panoptic(tmp_path, "synonyms", "val")
    assert [panoptic.source(n) for n in (0, 1)] == [instances.source(n) for n in (0, 1)]
    assert "road,railroad" in panoptic.categories.names
    assert panoptic[0].queries[0].masks.any((1, 2)).all()
    with pytest.raises(NoInputError, match="no folder"):
        cityscapes_instances(tmp_path, "plain", "test")
