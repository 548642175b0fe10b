"""LVIS: images by URL, names with spaces."""

from pathlib import Path

from vlseg_cli.datasets.coco_instances import lvis_instances
from vlseg_cli.datasets.toy.coco import write_lvis


def test_pictures_of_both_folders(tmp_path: Path) -> None:
    write_lvis(tmp_path, range(910000, 910002), 96)
    dataset = lvis_instances(tmp_path / "lvis", "val", tmp_path / "coco")
    assert {Path(dataset.source(n)).parent.name for n in (0, 1)} == {"train2017", "val2017"}
    assert "traffic light" in dataset.categories.names
    for number in range(len(dataset)):
        (query,) = dataset[number].queries
        assert query.crowd is not None and not query.crowd.any()
        assert query.masks.any((1, 2)).all()
