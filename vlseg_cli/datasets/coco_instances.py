"""COCO's instance format (Lin et al. 2014), also used by ADE20K and LVIS (Gupta et al. 2019).

One JSON file: ``images``, ``annotations`` (mask, box, area, crowd flag) and ``categories``. A
category's index in a prompt is its rank among the file's ids, which have gaps.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.base import existing_folder, parsed, read_sized
from vlseg_cli.datasets.class_names import Naming, class_table
from vlseg_cli.datasets.polygons import Polygons, true_mask
from vlseg_cli.schema import Categories, InputError, Query, Sample, Task


def file_name(image: Mapping[str, Any]) -> str:
    """The file name of an image record of COCO or ADE20K."""
    return str(image["file_name"])


class COCOInstancesDataset:
    """A sample per image of the file, including those without annotations.

    table: the JSON file. image_folder: folder of the images. name_of: file below it of an image
    record. rename: prompt of a category name. polygons: see ``polygons``. Raises NoInputError if a
    file is missing, InputError if it is damaged.
    """

    def __init__(
        self,
        table: Path,
        image_folder: Path,
        name_of: Callable[[Mapping[str, Any]], str] = file_name,
        rename: Callable[[str], str] = str,
        polygons: Polygons = "union",
        task: Task = Task.INSTANCE,
    ) -> None:
        data = parsed(table, json.loads)
        self._table, self._image_folder = table, existing_folder(image_folder)
        self._name_of, self._task = name_of, task
        self._polygons: Polygons = polygons
        self._annotations: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        try:
            self._images = data["images"]
            for annotation in data["annotations"]:
                self._annotations[annotation["image_id"]].append(annotation)
            names = {row["id"]: rename(row["name"]) for row in data["categories"]}
        except (KeyError, TypeError) as error:
            raise InputError(f"{table} lacks {error}: it is not a COCO file.") from error
        self._index = {number: index for index, number in enumerate(sorted(names))}
        self.categories = Categories(tuple(names[number] for number in sorted(names)))

    def __len__(self) -> int:
        return len(self._images)

    def source(self, number: int) -> str:
        """Path of an image."""
        return str(self._image_folder / self._name_of(self._images[number]))

    def __getitem__(self, number: int) -> Sample:
        """Read an image and its annotations. Raises InputError if a file is damaged."""
        image = self._images[number]
        size = image["height"], image["width"]
        frame = read_sized(Path(self.source(number)), *size, self._table)
        records = self._annotations.get(image["id"], [])
        masks = np.zeros((len(records), *size), bool)
        for mask, one in zip(masks, records, strict=True):
            mask |= true_mask(one["segmentation"], *size, self._polygons, self._table)
        try:
            labels = [self._index[one["category_id"]] for one in records]
        except KeyError as error:
            raise InputError(f"{self._table} has an unknown category {error}.") from error
        query = Query(
            self._task,
            self.categories,
            masks,
            np.array(labels, np.int64),
            crowd=np.array([bool(one.get("iscrowd", 0)) for one in records], bool),
            areas=np.array([one["area"] for one in records], np.float64),
            boxes=np.array([one["bbox"] for one in records], np.float64).reshape(-1, 4),
        )
        return Sample(frame, (query,))


def coco_instances(
    root: Path, naming: Naming = "plain", split: str = "val"
) -> COCOInstancesDataset:
    """COCO's instances below its folder."""
    table = root / "annotations" / f"instances_{split}2017.json"
    rename = class_table("coco-panoptic").rename(naming)
    return COCOInstancesDataset(table, root / f"{split}2017", rename=rename)


def lvis_instances(root: Path, split: str, image_folder: Path) -> COCOInstancesDataset:
    """``lvis_v1_SPLIT.json`` below root; image_folder: COCO's.

    Categories that were not annotated in an image count as absent. Raises NoInputError if a file
    is missing.
    """
    return COCOInstancesDataset(root / f"lvis_v1_{split}.json", image_folder, _url_path, _spaced)


def _url_path(image: Mapping[str, Any]) -> str:
    """The last two parts of the URL: 'train2017/000000000009.jpg'."""
    return "/".join(image["coco_url"].split("/")[-2:])


def _spaced(name: str) -> str:
    return name.replace("_", " ")
