"""``refs(*).p`` and ``grefs(unc).json``: what people called the things of RefCOCO's pictures.

The first is published as a Python pickle of plain lists. A pickle may name any function to call;
these name none, and one that does is refused.
"""

import io
import json
import pickle
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.polygons import Polygons, true_mask
from vlseg_cli.media.image import read_image
from vlseg_cli.schema import Expression, InputError, NoInputError, Query, Sample, Task

_NOTHING = -1  # the annotation of a generalized ref that means nothing in the picture


class Ref(NamedTuple):
    """What people called one thing; in gRefCOCO also several things, or none (no annotation)."""

    id: int
    image: int
    annotations: tuple[int, ...]
    split: str
    sentences: Sequence[str]


def read_refs(path: Path) -> list[Ref]:
    """All refs of a pickle or JSON file.

    Raises NoInputError if it is missing, InputError if it is no such file or holds more than data.
    """
    records = parsed(path, json.loads if path.suffix == ".json" else _unpickled)
    try:
        return [_ref(record) for record in records]
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} lacks {error}: it is no list of refs.") from error


def _ref(record: Mapping[str, Any]) -> Ref:
    meant = record["ann_id"]
    annotations = meant if isinstance(meant, list) else [meant]
    return Ref(
        record["ref_id"],
        record["image_id"],
        tuple(one for one in annotations if one != _NOTHING),
        record["split"],
        [sentence["sent"] for sentence in record["sentences"]],
    )


class _PlainUnpickler(pickle.Unpickler):
    """Reads lists, dictionaries, numbers and strings; anything else has to be looked up here."""

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

# Where LISA's line, PSALM's line and plain COCO keep the pictures.
_PICTURES = (
    Path("images/mscoco/images/train2014"),
    Path("images/mscoco/train2014"),
    Path("../coco/train2014"),
    Path("../train2014"),
)


class RefCOCODataset:
    """One split, a sample per picture; a query's kind is the category of the thing meant.

    name: also the folder below ``root``. refs: the file with the sentences, None for the usual one.
    unit: 'sentence' asks every sentence (LISA, HRSeg, SELF1E), 'ref' all sentences of a ref at once
    (PSALM, HyperSeg, MVP-LM), which is easier. polygons: the true mask is the union of the parts,
    where exactly one of them lies ('sum': LISA, SELF1E), or what OpenCV fills ('fill': PSALM's
    line). task: REFER for masks, GROUND for boxes. Raises NoInputError if a file or the split is
    missing.
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
        self._numbers = list(self._refs)
        self._instances = folder / "instances.json"
        self._images, self._annotations, self._names = self._tables()
        self._pictures = existing_folder(*(root / place for place in _PICTURES))
        self._unit, self._task = unit, task
        self._polygons: Polygons = polygons

    def __len__(self) -> int:
        return len(self._numbers)

    def source(self, number: int) -> str:
        """Path of a picture. Raises InputError if the table of pictures lacks it."""
        return str(self._pictures / self._image(self._numbers[number])["file_name"])

    def __getitem__(self, number: int) -> Sample:
        """Read one picture and what is said of it. Raises InputError if a file is damaged."""
        image = self._image(self._numbers[number])
        frame = read_image(self._pictures / image["file_name"])
        if (frame.height, frame.width) != (image["height"], image["width"]):
            raise InputError(
                f"{frame.source} is {frame.width} x {frame.height} px, but {self._instances} says "
                f"{image['width']} x {image['height']}: it is another picture."
            )
        refs = self._refs[self._numbers[number]]
        return Sample(frame, tuple(query for ref in refs for query in self._queries(ref, image)))

    def _queries(self, ref: Ref, image: dict[str, Any]) -> list[Query]:
        meant = [self._annotation(number) for number in ref.annotations]
        size = image["height"], image["width"]
        union = np.zeros(size, bool)
        for annotation in meant:
            if not annotation.get("iscrowd"):
                union |= true_mask(annotation["segmentation"], *size, self._polygons)
        masks = union[None] if meant else union[None][:0]
        boxes = np.array([annotation["bbox"] for annotation in meant[:1]], np.float64)
        texts = [". ".join(ref.sentences)] if self._unit == "ref" else ref.sentences
        return [
            Query(
                self._task,
                Expression(text),
                masks,
                np.zeros(len(masks), np.int64),
                kind=self._kind(meant),
                boxes=boxes.reshape(-1, 4),
            )
            for text in texts
        ]

    def _kind(self, meant: list[dict[str, Any]]) -> str:
        names = {self._names[annotation["category_id"]] for annotation in meant}
        if len(names) == 1:
            return names.pop()
        return "several" if names else "none"

    def _annotation(self, number: int) -> dict[str, Any]:
        if number not in self._annotations:
            raise InputError(f"{self._instances} lacks annotation {number} of a ref.")
        annotation: dict[str, Any] = self._annotations[number]
        return annotation

    def _image(self, number: int) -> dict[str, Any]:
        if number not in self._images:
            raise InputError(f"{self._instances} lacks image {number} of a ref.")
        image: dict[str, Any] = self._images[number]
        return image

    def _tables(self) -> tuple[dict[int, Any], dict[int, Any], dict[int, str]]:
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
