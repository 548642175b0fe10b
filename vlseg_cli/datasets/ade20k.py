"""ADE20K with 150 classes (Zhou et al. 2017): semantic label maps, panoptic and instance files.

The last two are made from the first by MaskFormer's scripts; the file names are theirs.
"""

from pathlib import Path

from vlseg_cli.datasets.class_names import Naming, class_table
from vlseg_cli.datasets.coco_instances import COCOInstancesDataset
from vlseg_cli.datasets.coco_panoptic import COCOPanopticDataset
from vlseg_cli.datasets.label_maps import LabelMapDataset, paired

_FOLDERS = {"train": "training", "val": "validation"}


def ade20k_semantic(root: Path, naming: Naming, split: str) -> LabelMapDataset:
    """``annotations/validation/*.png``: 0 is unlabeled, n the n-th class."""
    table, folder = class_table("ade20k"), _FOLDERS[split]
    pairs = paired(root / "images" / folder, root / "annotations" / folder, ".jpg", ".png")
    return LabelMapDataset(pairs, table.prompt(naming), range(1, len(table.ids) + 1))


def ade20k_panoptic(root: Path, naming: Naming, split: str) -> COCOPanopticDataset:
    """``ade20k_panoptic_val.json`` and the folder ``ade20k_panoptic_val``."""
    return COCOPanopticDataset(
        root / f"ade20k_panoptic_{split}.json",
        root / f"ade20k_panoptic_{split}",
        root / "images" / _FOLDERS[split],
        lambda name: name.replace(".png", ".jpg"),
        class_table("ade20k").rename(naming),
    )


def ade20k_instances(root: Path, naming: Naming, split: str) -> COCOInstancesDataset:
    """``ade20k_instance_val.json``: the 100 thing classes."""
    return COCOInstancesDataset(
        root / f"ade20k_instance_{split}.json",
        root / "images" / _FOLDERS[split],
        rename=class_table("ade20k").rename(naming),
    )
