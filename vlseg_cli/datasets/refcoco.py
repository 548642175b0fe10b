"""RefCOCO, RefCOCO+, RefCOCOg and gRefCOCO: referring expressions for objects in COCO images.

Kazemzadeh et al. 2014 (RefCOCO, RefCOCO+), Mao et al. 2016 (RefCOCOg), Liu et al. 2023 (gRefCOCO).
``NAME/instances.json`` (COCO) and the referring expressions by annotation, ``NAME/refs(*).p`` or
``NAME/grefs(unc).json``. The former are pickles of plain lists; one that names a function is
refused. gRefCOCO's expressions may have several targets, or none (annotation -1).
"""

import io
import json
import pickle
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from vlseg_cli.datasets.base import existing_folder, parsed, read_sized
from vlseg_cli.datasets.polygons import Polygons, true_mask
from vlseg_cli.schema import Expression, InputError, NoInputError, Query, Sample, Task

_NO_TARGET = -1  # annotation of a gRefCOCO expression without target


class Ref(NamedTuple):
    """The expressions for one object, in gRefCOCO for several or none (no annotation)."""

    id: int
    image: int
    annotations: tuple[int, ...]
    split: str
    sentences: Sequence[str]


def read_refs(path: Path) -> list[Ref]:
    """All refs of a pickle or JSON file.

    Raises NoInputError if it is missing, InputError if it is damaged or contains code.
    """
    records = parsed(path, json.loads if path.suffix == ".json" else _unpickled)
    try:
        return [_ref(record) for record in records]
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} lacks {error}: it is not a list of refs.") from error


def _ref(record: Mapping[str, Any]) -> Ref:
    ids = record["ann_id"]
    annotations = ids if isinstance(ids, list) else [ids]
    return Ref(
        record["ref_id"],
        record["image_id"],
        tuple(one for one in annotations if one != _NO_TARGET),
        record["split"],
        [sentence["sent"] for sentence in record["sentences"]],
    )


class _PlainUnpickler(pickle.Unpickler):
    """Reads lists, dictionaries, numbers and strings; anything else calls ``find_class``."""

    def find_class(self, module: str, name: str) -> Any:
        raise ValueError(f"it asks for {module}.{name}, and a list of refs needs no code")


def _unpickled(data: bytes) -> Any:
    try:
        return _PlainUnpickler(io.BytesIO(data)).load()
    except (pickle.UnpicklingError, EOFError, IndexError, KeyError, AttributeError) as error:
        raise ValueError(str(error) or "not a pickle") from error


RefCOCOName = Literal["refcoco", "refcoco+", "refcocog", "grefcoco"]
Unit = Literal["sentence", "ref"]

REFS: dict[RefCOCOName, str] = {
    "refcoco": "refs(unc).p",
    "refcoco+": "refs(unc).p",
    "refcocog": "refs(umd).p",
    "grefcoco": "grefs(unc).json",
}

# Image folders in LISA's layout, PSALM's layout and COCO's.
_IMAGE_FOLDERS = (
    Path("images/mscoco/images/train2014"),
    Path("images/mscoco/train2014"),
    Path("../coco/train2014"),
    Path("../train2014"),
)


class RefCOCODataset:
    """One split, a sample per image; a query's kind is the category of its targets.

    name: also the folder below ``root``. refs: the file of expressions, None for the usual one.
    unit: 'sentence' makes a query of every sentence (LISA, HRSeg, SELF1E), 'ref' one of all
    sentences of a ref joined (PSALM, HyperSeg, MVP-LM). polygons: see ``polygons``; 'sum' in LISA
    and SELF1E, 'fill' in PSALM and its successors. task: REFER for masks, GROUND for boxes. Raises
    NoInputError if a file or the split is missing, InputError if a file is damaged.
    """

    def __init__(
        self,
        root: Path,
        name: RefCOCOName,
        split: str,
        *,
        refs: str | None = None,
        unit: Unit = "sentence",
        polygons: Polygons = "union",
        task: Literal[Task.REFER, Task.GROUND] = Task.REFER,
    ) -> None:
        folder = existing_folder(root / name)
        path = folder / (refs or REFS[name])
        self._refs: dict[int, list[Ref]] = defaultdict(list)
        for ref in read_refs(path):
            if ref.split == split:
                self._refs[ref.image].append(ref)
        if not self._refs:
            raise NoInputError(f"{path} has no split {split!r}: it may be of another list of refs.")
        self._image_ids = list(self._refs)
        self._instances = folder / "instances.json"
        self._images, self._annotations, self._names = self._tables()
        self._image_folder = existing_folder(*(root / folder for folder in _IMAGE_FOLDERS))
        self._unit, self._task = unit, task
        self._polygons: Polygons = polygons

    def __len__(self) -> int:
        return len(self._image_ids)

    def source(self, number: int) -> str:
        """Path of an image. Raises InputError if instances.json lacks it."""
        return str(self._image_folder / self._record("image", self._image_ids[number])["file_name"])

    def __getitem__(self, number: int) -> Sample:
        """Read an image and its expressions. Raises InputError if a file is damaged."""
        image = self._record("image", self._image_ids[number])
        path = self._image_folder / image["file_name"]
        frame = read_sized(path, image["height"], image["width"], self._instances)
        refs = self._refs[self._image_ids[number]]
        return Sample(frame, tuple(query for ref in refs for query in self._queries(ref, image)))

    def _queries(self, ref: Ref, image: dict[str, Any]) -> list[Query]:
        targets = [self._record("annotation", number) for number in ref.annotations]
        size = image["height"], image["width"]
        union = np.zeros(size, bool)
        for annotation in targets:
            if not annotation.get("iscrowd"):
                union |= true_mask(
                    annotation["segmentation"], *size, self._polygons, self._instances
                )
        masks = union[None] if targets else union[None][:0]
        boxes = np.array([annotation["bbox"] for annotation in targets[:1]], np.float64)
        texts = [". ".join(ref.sentences)] if self._unit == "ref" else ref.sentences
        return [
            Query(
                self._task,
                Expression(text),
                masks,
                np.zeros(len(masks), np.int64),
                kind=self._kind(targets),
                boxes=boxes.reshape(-1, 4),
            )
            for text in texts
        ]

    def _kind(self, targets: list[dict[str, Any]]) -> str:
        names = {self._names[annotation["category_id"]] for annotation in targets}
        if len(names) == 1:
            return names.pop()
        return "several" if names else "none"

    def _record(self, kind: Literal["image", "annotation"], number: int) -> dict[str, Any]:
        records = self._images if kind == "image" else self._annotations
        if number not in records:
            raise InputError(f"{self._instances} lacks {kind} {number} of a ref.")
        record: dict[str, Any] = records[number]
        return record

    def _tables(
        self,
    ) -> tuple[dict[int, Any], dict[int, Any], dict[int, str]]:
        """Images and annotations of the split, and all category names, by id."""
        data = parsed(self._instances, json.loads)
        wanted = {one for refs in self._refs.values() for ref in refs for one in ref.annotations}
        try:
            images = {one["id"]: one for one in data["images"] if one["id"] in self._refs}
            annotations = {one["id"]: one for one in data["annotations"] if one["id"] in wanted}
            names = {one["id"]: one["name"] for one in data["categories"]}
        except (KeyError, TypeError) as error:
            raise InputError(f"{self._instances} lacks {error}: it is no COCO file.") from error
        return images, annotations, names
