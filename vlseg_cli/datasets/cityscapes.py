"""Cityscapes (Cordts et al. 2016): street scenes by city, with ``instanceIds`` maps.

``leftImg8bit/SPLIT/CITY/NAME_leftImg8bit.png``, ``gtFine/SPLIT/CITY/NAME_gtFine_instanceIds.png``.
An id of 1000 or more is instance ``id % 1000`` of label ``id // 1000``; a smaller id is a label:
stuff, or a crowd of things.
"""

from pathlib import Path

import numpy as np

from vlseg_cli.datasets.base import existing_folder
from vlseg_cli.datasets.class_names import ClassTable, Naming, class_table
from vlseg_cli.datasets.coco_panoptic import COCOPanopticDataset
from vlseg_cli.datasets.label_maps import read_label_map
from vlseg_cli.media.image import read_image
from vlseg_cli.schema import Categories, InputError, NoInputError, Query, Sample, Task

_MAP, _IMAGE = "_gtFine_instanceIds.png", "_leftImg8bit.png"
_PER_LABEL = 1000


class CityscapesInstancesDataset:
    """A sample per image: its things and crowds; void is ignored.

    classes: labels of the categories. prompt: their names. Raises NoInputError if a file is
    missing.
    """

    def __init__(self, root: Path, split: str, classes: ClassTable, prompt: Categories) -> None:
        maps = existing_folder(root / "gtFine" / split)
        self._image_folder = existing_folder(root / "leftImg8bit" / split)
        self._maps = sorted(maps.glob(f"*/*{_MAP}"))
        if not self._maps:
            raise NoInputError(f"{maps} has no *{_MAP}: fetch Cityscapes' gtFine.")
        self._labels, self.categories = np.array(classes.ids), prompt
        self._things = np.array(classes.things)

    def __len__(self) -> int:
        return len(self._maps)

    def source(self, number: int) -> str:
        """Path of an image."""
        path = self._maps[number]
        return str(self._image_folder / path.parent.name / path.name.replace(_MAP, _IMAGE))

    def __getitem__(self, number: int) -> Sample:
        """Read an image and its map. Raises InputError if a file is damaged."""
        frame = read_image(Path(self.source(number)))
        ids = read_label_map(self._maps[number])
        if ids.shape != frame.pixels.shape[:2]:
            raise InputError(f"{self._maps[number]} differs in size from its image.")
        present = np.unique(ids)
        labels = np.where(present >= _PER_LABEL, present // _PER_LABEL, present)
        is_thing = np.isin(labels, self._labels[self._things])
        present, labels = present[is_thing], labels[is_thing]
        query = Query(
            Task.INSTANCE,
            self.categories,
            ids == present[:, None, None],
            np.array([int(np.flatnonzero(self._labels == label)[0]) for label in labels], np.int64),
            ignore=~np.isin(np.where(ids >= _PER_LABEL, ids // _PER_LABEL, ids), self._labels),
            crowd=present < _PER_LABEL,
        )
        return Sample(frame, (query,))


def cityscapes_instances(root: Path, naming: Naming, split: str) -> CityscapesInstancesDataset:
    """The instances, prompted by the names of a protocol."""
    table = class_table("cityscapes")
    return CityscapesInstancesDataset(root, split, table, table.prompt(naming))


def cityscapes_panoptic(root: Path, naming: Naming, split: str) -> COCOPanopticDataset:
    """``gtFine/cityscapes_panoptic_SPLIT.json`` and the folder of the same name."""
    return COCOPanopticDataset(
        root / "gtFine" / f"cityscapes_panoptic_{split}.json",
        root / "gtFine" / f"cityscapes_panoptic_{split}",
        root / "leftImg8bit" / split,
        _image_of,
        class_table("cityscapes").rename(naming),
    )


def _image_of(map_name: str) -> str:
    """'ulm_000000_000019_gtFine_panoptic.png' to 'ulm/ulm_000000_000019_leftImg8bit.png'."""
    stem = map_name.removesuffix("_gtFine_panoptic.png")
    return f"{stem.split('_')[0]}/{stem}{_IMAGE}"
