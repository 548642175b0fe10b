"""Label maps of Pascal VOC 2012 (Everingham et al.) and Pascal Context (Mottaghi et al. 2014)."""

from pathlib import Path

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.class_names import Naming, class_table
from vlseg_cli.datasets.label_maps import LabelMapDataset, paired
from vlseg_cli.schema import NoInputError

_FOLDERS = {"train": "training", "val": "validation"}
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
