"""COCO-Interactive (Zhang et al. 2024): COCO's instances, each pointed at in four ways.

One list of PSALM's own, ``coco_interactive_val_psalm.json``, beside COCO's pictures. A point is
stored as a pixel and a scribble as a line; PSALM thickens them to disks when it reads them.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.polygons import Polygons, true_mask
from vlseg_cli.media.image import read_image
from vlseg_cli.schema import InputError, NoInputError, Query, Region, Regions, Sample, Task
from vlseg_cli.schema.prompt import RegionKind

_TABLE = "coco_interactive_val_psalm.json"
_REACH = {"point": 10, "scribble": 5}  # px around what is stored


class COCOInteractiveDataset:
    """A sample per picture: its things pointed at in one way, all in one prompt.

    Groups are left out, and so are things whose prompt of this kind came out empty. root: the
    folder of the list and of val2017. Raises NoInputError if something is missing.
    """

    def __init__(self, root: Path, kind: RegionKind, polygons: Polygons = "union") -> None:
        self._table = root / _TABLE
        self._kind: RegionKind = kind
        self._polygons: Polygons = polygons
        key = f"{kind}_visual_prompt_mask"
        self._pictures = existing_folder(root / "val2017", root)
        try:
            self._entries = [
                (entry["image"], entry["image_info"], things)
                for entry in parsed(self._table, json.loads)
                if (things := [one for one in entry["anns"] if _is_asked(one, key)])
            ]
        except (KeyError, TypeError) as error:
            raise InputError(f"{self._table} lacks {error}: it is not PSALM's list.") from error
        if not self._entries:
            raise NoInputError(f"{self._table} points at nothing by {kind}: it is another list.")

    def __len__(self) -> int:
        return len(self._entries)

    def source(self, number: int) -> str:
        """Path of a picture."""
        return str(self._pictures / Path(self._entries[number][0]).name)

    def __getitem__(self, number: int) -> Sample:
        """Read one picture and its regions. Raises InputError if a file is damaged."""
        _, image, things = self._entries[number]
        frame = read_image(Path(self.source(number)))
        size = frame.height, frame.width
        if size != (image["height"], image["width"]):
            raise InputError(f"{frame.source} is of another size than {self._table} says.")
        masks = np.stack([true_mask(one["segmentation"], *size, self._polygons) for one in things])
        regions = tuple(Region(self._kind, self._drawn(one, size)) for one in things)
        labels = np.arange(len(things))
        query = Query(Task.INTERACTIVE, Regions(regions), masks, labels, kind=self._kind)
        return Sample(frame, (query,))

    def _drawn(self, thing: dict[str, Any], size: tuple[int, int]) -> NDArray[np.bool_]:
        """What was stored, thickened."""
        stored = true_mask(thing[f"{self._kind}_visual_prompt_mask"], *size, self._polygons)
        if self._kind not in _REACH:
            return stored
        from scipy.ndimage import distance_transform_edt

        return np.asarray(distance_transform_edt(~stored) <= _REACH[self._kind])


def _is_asked(thing: dict[str, Any], key: str) -> bool:
    """Whether it is a single thing with a prompt that is not empty."""
    from pycocotools import mask as coco

    return not thing["iscrowd"] and int(coco.area(thing[key])) > 0
