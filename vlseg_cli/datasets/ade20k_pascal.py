"""ADE20K, Pascal VOC and Pascal Context: where the files of these closed class lists lie.

ADE20K with 150 classes (Zhou et al. 2017) has label maps; its panoptic and instance files are made
from them by MaskFormer's scripts. Pascal VOC 2012 (Everingham et al.) and Pascal Context (Mottaghi
et al. 2014) have label maps alone.
"""

from pathlib import Path

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.class_names import Naming, class_table
from vlseg_cli.datasets.coco_instances import COCOInstancesDataset
from vlseg_cli.datasets.coco_panoptic import COCOPanopticDataset
from vlseg_cli.datasets.label_maps import LabelMapDataset, paired
from vlseg_cli.schema import NoInputError

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


_MAPS = {59: ("annotations_ctx59", ".png"), 459: ("annotations_ctx459", ".tif")}


def pascal_context(root: Path, naming: Naming, split: str, classes: int) -> LabelMapDataset:
    """``pascal_ctx_d2`` as made by fc-clip's scripts, with class values from 0."""
    table, folder = class_table(f"pascal-context-{classes}"), _FOLDERS[split]
    maps, ending = _MAPS[classes]
    pairs = paired(root / "images" / folder, root / maps / folder, ".jpg", ending)
    return LabelMapDataset(pairs, table.prompt(naming), table.ids)


def pascal_voc(root: Path, naming: Naming, split: str) -> LabelMapDataset:
    """``SegmentationClass`` of VOC2012: 0 is background and 255 a border, both ignored."""
    listed = parsed(root / "ImageSets" / "Segmentation" / f"{split}.txt", _names)
    if not listed:
        raise NoInputError(f"{root} lists no image in its {split} split: fetch VOC2012 again.")
    images, maps = (existing_folder(root / one) for one in ("JPEGImages", "SegmentationClass"))
    pairs = [(images / f"{name}.jpg", maps / f"{name}.png") for name in listed]
    table = class_table("pascal-voc-20")
    return LabelMapDataset(pairs, table.prompt(naming), range(1, len(table.ids) + 1))


def _names(data: bytes) -> list[str]:
    return data.decode("utf-8").split()
