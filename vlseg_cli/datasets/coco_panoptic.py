"""COCO's panoptic form, which ADE20K and Cityscapes take over: a JSON file and a PNG per picture.

Ids of segments are colors (R + 256 G + 65536 B), 0 is void; what a segment is stands in the JSON.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.media.image import open_image, read_image
from vlseg_cli.schema import Categories, InputError, Query, Sample, Task


class COCOPanopticDataset:
    """A sample per picture: one query for all categories of the file, in its order.

    table: the JSON file. maps, pictures: folders. picture_of: the picture's name by its map's.
    rename: what to ask a category of the file as. task: PANOPTIC, or SEMANTIC to tell classes
    alone. Raises NoInputError if something is missing.
    """

    def __init__(
        self,
        table: Path,
        maps: Path,
        pictures: Path,
        picture_of: Callable[[str], str],
        rename: Callable[[str], str] = str,
        task: Task = Task.PANOPTIC,
    ) -> None:
        data = parsed(table, json.loads)
        self._table, self._maps = table, existing_folder(maps)
        self._pictures, self._picture_of = existing_folder(pictures), picture_of
        self._task = task
        try:
            rows, self._annotations = data["categories"], data["annotations"]
            names = tuple(rename(row["name"]) for row in rows)
            self.categories = Categories(names, tuple(not row["isthing"] for row in rows))
            self._index = {row["id"]: index for index, row in enumerate(rows)}
        except (KeyError, TypeError) as error:
            raise InputError(f"{table} lacks {error}: it is no panoptic file.") from error

    def __len__(self) -> int:
        return len(self._annotations)

    def source(self, number: int) -> str:
        """Path of a picture."""
        return str(self._pictures / self._picture_of(self._annotations[number]["file_name"]))

    def __getitem__(self, number: int) -> Sample:
        """Read one picture and its map. Raises InputError if a file is damaged or they disagree."""
        annotation = self._annotations[number]
        frame = read_image(Path(self.source(number)))
        path = self._maps / annotation["file_name"]
        ids = read_ids(path)
        if ids.shape != frame.pixels.shape[:2]:
            raise InputError(f"{path} is of another size than its picture {frame.source}.")
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


def read_ids(path: Path) -> NDArray[np.int32]:
    """Segment ids (H, W) of a panoptic PNG. Raises InputError if it is missing or damaged."""
    colors = np.asarray(open_image(path).convert("RGB")).astype(np.int32)
    return colors[..., 0] + 256 * colors[..., 1] + 65536 * colors[..., 2]
