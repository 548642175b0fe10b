"""COCO's instance form: things with a mask, a box and an area each; also ADE20K's and LVIS's.

A category's number in a prompt is its rank among the file's ids, which have gaps.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.polygons import Polygons, true_mask
from vlseg_cli.media.image import read_image
from vlseg_cli.schema import Categories, InputError, Query, Sample, Task


def named(image: Mapping[str, Any]) -> str:
    """COCO's and ADE20K's way to name a picture's file."""
    return str(image["file_name"])


class COCOInstancesDataset:
    """A sample per picture of the file, also those without any thing.

    table: the JSON file. pictures: their folder. name_of: a picture's file below it, by its entry.
    rename: what to ask a category of the file as. Raises NoInputError if something is missing.
    """

    def __init__(
        self,
        table: Path,
        pictures: Path,
        name_of: Callable[[Mapping[str, Any]], str] = named,
        rename: Callable[[str], str] = str,
        polygons: Polygons = "union",
        task: Task = Task.INSTANCE,
    ) -> None:
        data = parsed(table, json.loads)
        self._table, self._pictures = table, existing_folder(pictures)
        self._name_of, self._task = name_of, task
        self._polygons: Polygons = polygons
        self._annotations: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        try:
            self._images = data["images"]
            for annotation in data["annotations"]:
                self._annotations[annotation["image_id"]].append(annotation)
            names = {row["id"]: rename(row["name"]) for row in data["categories"]}
        except (KeyError, TypeError) as error:
            raise InputError(f"{table} lacks {error}: it is no COCO file.") from error
        self._index = {number: index for index, number in enumerate(sorted(names))}
        self.categories = Categories(tuple(names[number] for number in sorted(names)))

    def __len__(self) -> int:
        return len(self._images)

    def source(self, number: int) -> str:
        """Path of a picture."""
        return str(self._pictures / self._name_of(self._images[number]))

    def __getitem__(self, number: int) -> Sample:
        """Read one picture and its things. Raises InputError if a file is damaged."""
        image = self._images[number]
        frame = read_image(Path(self.source(number)))
        size = frame.height, frame.width
        if size != (image["height"], image["width"]):
            raise InputError(f"{frame.source} is of another size than {self._table} says.")
        things = self._annotations.get(image["id"], [])
        masks = np.zeros((len(things), *size), bool)
        for mask, thing in zip(masks, things, strict=True):
            mask |= true_mask(thing["segmentation"], *size, self._polygons)
        try:
            labels = [self._index[thing["category_id"]] for thing in things]
        except KeyError as error:
            raise InputError(f"{self._table} has an unknown category {error}.") from error
        query = Query(
            self._task,
            self.categories,
            masks,
            np.array(labels, np.int64),
            crowd=np.array([bool(thing.get("iscrowd", 0)) for thing in things], bool),
            areas=np.array([thing["area"] for thing in things], np.float64),
            boxes=np.array([thing["bbox"] for thing in things], np.float64).reshape(-1, 4),
        )
        return Sample(frame, (query,))


def lvis_instances(root: Path, split: str, pictures: Path) -> COCOInstancesDataset:
    """``lvis_v1_SPLIT.json`` below root; pictures: COCO's folder.

    Categories that a picture was not searched for are not told apart from those it lacks. Raises
    NoInputError if something is missing.
    """
    return COCOInstancesDataset(root / f"lvis_v1_{split}.json", pictures, _by_address, _spaced)


def _by_address(image: Mapping[str, Any]) -> str:
    """The last two parts of the address, as 'train2017/000000000009.jpg'."""
    return "/".join(image["coco_url"].split("/")[-2:])


def _spaced(name: str) -> str:
    return name.replace("_", " ")
