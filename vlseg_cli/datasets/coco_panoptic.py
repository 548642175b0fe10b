"""COCO's panoptic format (Kirillov et al. 2019), also used by ADE20K and Cityscapes.

A PNG per image with segment ids as colors (R + 256 G + 65536 B, 0 is void), and one JSON file with
``categories`` and the ``segments_info`` of every image.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.class_names import Naming, class_table
from vlseg_cli.media.image import open_image, read_image
from vlseg_cli.schema import Categories, InputError, Query, Sample, Task


class COCOPanopticDataset:
    """A sample per image: one query for all categories of the file, in its order.

    table: the JSON file. maps, images: folders. image_of: image name of a map name. rename: prompt
    of a category name. task: PANOPTIC, or SEMANTIC for classes alone. Raises NoInputError if a
    file is missing, InputError if it is damaged.
    """

    def __init__(
        self,
        table: Path,
        maps: Path,
        images: Path,
        image_of: Callable[[str], str],
        rename: Callable[[str], str] = str,
        task: Task = Task.PANOPTIC,
    ) -> None:
        data = parsed(table, json.loads)
        self._table, self._maps = table, existing_folder(maps)
        self._image_folder, self._image_of = existing_folder(images), image_of
        self._task = task
        try:
            rows, self._annotations = data["categories"], data["annotations"]
            names = tuple(rename(row["name"]) for row in rows)
            self.categories = Categories(names, tuple(not row["isthing"] for row in rows))
            self._index = {row["id"]: index for index, row in enumerate(rows)}
        except (KeyError, TypeError) as error:
            raise InputError(f"{table} lacks {error}: it is not a panoptic file.") from error

    def __len__(self) -> int:
        return len(self._annotations)

    def source(self, number: int) -> str:
        """Path of an image."""
        return str(self._image_folder / self._image_of(self._annotations[number]["file_name"]))

    def __getitem__(self, number: int) -> Sample:
        """Read an image and its map. Raises InputError if a file is damaged or they disagree."""
        annotation = self._annotations[number]
        frame = read_image(Path(self.source(number)))
        path = self._maps / annotation["file_name"]
        ids = read_ids(path)
        if ids.shape != frame.pixels.shape[:2]:
            raise InputError(f"{path} differs in size from its image {frame.source}.")
        segments = annotation["segments_info"]
        try:
            labels = [self._index[one["category_id"]] for one in segments]
        except KeyError as error:
            raise InputError(f"{self._table} has an unknown category {error}.") from error
        masks = ids == np.array([one["id"] for one in segments], np.int32).reshape(-1, 1, 1)
        query = Query(
            self._task,
            self.categories,
            masks,
            np.array(labels, np.int64),
            ignore=ids == 0,
            crowd=np.array([bool(one.get("iscrowd", 0)) for one in segments], bool),
            areas=np.array([one["area"] for one in segments], np.float64),
        )
        return Sample(frame, (query,))


def coco_panoptic(
    root: Path, naming: Naming = "plain", split: str = "val", task: Task = Task.PANOPTIC
) -> COCOPanopticDataset:
    """COCO's panoptic maps below its folder; as classes (SEMANTIC) they are its panoptic_semseg."""
    return COCOPanopticDataset(
        root / "annotations" / f"panoptic_{split}2017.json",
        root / f"panoptic_{split}2017",
        root / f"{split}2017",
        lambda name: name.replace(".png", ".jpg"),
        class_table("coco-panoptic").rename(naming),
        task,
    )


def read_ids(path: Path) -> NDArray[np.int32]:
    """Segment ids (H, W) of a panoptic PNG. Raises InputError if it is missing or damaged."""
    colors = np.asarray(open_image(path).convert("RGB")).astype(np.int32)
    return colors[..., 0] + 256 * colors[..., 1] + 65536 * colors[..., 2]
