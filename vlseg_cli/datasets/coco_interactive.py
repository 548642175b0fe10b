"""COCO-Interactive (Zhang et al. 2024, PSALM): COCO's instances with region prompts of four kinds.

``coco_interactive_val_psalm.json`` is a list of images with COCO annotations, each with a mask
``KIND_visual_prompt_mask``. A point is stored as a pixel and a scribble as a line; PSALM dilates
them to disks when it reads them.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.base import existing_folder, parsed, read_sized
from vlseg_cli.datasets.polygons import Polygons, true_mask
from vlseg_cli.schema import (
    InputError,
    NoInputError,
    Query,
    Region,
    Regions,
    Sample,
    Task,
    bounds_rle,
    checked_rle,
)
from vlseg_cli.schema.prompt import RegionKind

_TABLE = "coco_interactive_val_psalm.json"
_RADIUS = {"point": 10, "scribble": 5}  # of the dilation, px


class COCOInteractiveDataset:
    """A sample per image: all its instances in one prompt of one kind.

    Crowds and instances with an empty prompt are left out. root: the folder of the list and of
    val2017. Raises NoInputError if a file is missing.
    """

    def __init__(self, root: Path, kind: RegionKind, polygons: Polygons = "union") -> None:
        self._table = root / _TABLE
        self._kind: RegionKind = kind
        self._polygons: Polygons = polygons
        key = f"{kind}_visual_prompt_mask"
        self._image_folder = existing_folder(root / "val2017", root)
        try:
            self._entries = [
                (entry["image"], entry["image_info"], records)
                for entry in parsed(self._table, json.loads)
                if (records := [one for one in entry["anns"] if _has_prompt(one, key)])
            ]
        except ValueError as error:
            raise InputError(f"{self._table} is damaged: {error}. Fetch it again.") from error
        except (KeyError, TypeError) as error:
            raise InputError(f"{self._table} lacks {error}: it is not PSALM's list.") from error
        if not self._entries:
            raise NoInputError(f"{self._table} has no prompt of kind {kind}: it is another list.")

    def __len__(self) -> int:
        return len(self._entries)

    def source(self, number: int) -> str:
        """Path of an image."""
        return str(self._image_folder / Path(self._entries[number][0]).name)

    def __getitem__(self, number: int) -> Sample:
        """Read an image and its regions. Raises InputError if a file is damaged."""
        _, image, records = self._entries[number]
        size = image["height"], image["width"]
        frame = read_sized(Path(self.source(number)), *size, self._table)
        masks = np.stack(
            [true_mask(one["segmentation"], *size, self._polygons, self._table) for one in records]
        )
        regions = tuple(Region(self._kind, self._region_mask(one, size)) for one in records)
        labels = np.arange(len(records))
        query = Query(Task.INTERACTIVE, Regions(regions), masks, labels, kind=self._kind)
        return Sample(frame, (query,))

    def _region_mask(self, annotation: dict[str, Any], size: tuple[int, int]) -> NDArray[np.bool_]:
        """The stored prompt, dilated."""
        stored = true_mask(
            annotation[f"{self._kind}_visual_prompt_mask"], *size, self._polygons, self._table
        )
        if self._kind not in _RADIUS:
            return stored
        from scipy.ndimage import distance_transform_edt

        return np.asarray(distance_transform_edt(~stored) <= _RADIUS[self._kind])


def _has_prompt(annotation: dict[str, Any], key: str) -> bool:
    """Whether it is no crowd and its prompt is not empty, which may be stated by no counts."""
    if annotation["iscrowd"] or not annotation[key]["counts"]:
        return False
    return bounds_rle(checked_rle(annotation[key]))[2] > 0
