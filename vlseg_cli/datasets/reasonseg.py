"""Questions about images that take reasoning, answered by masks: ReasonSeg and LLM-Seg40K.

ReasonSeg (Lai et al. 2024, LISA) has labelme files, ``SPLIT/NAME.json`` (``text``, ``is_sentence``,
``shapes``) beside ``SPLIT/NAME.jpg``; masks are made as by LISA's ``utils/data_processing.py``
(get_mask_from_json): small shapes cover large ones. LLM-Seg40K (Wang and Ke 2024) has one file:
``SPLIT.json`` maps an image of COCO or EgoObjects to ``from_dataset`` and ``qa_pairs`` (question,
answer, RLE mask).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.polygons import checked_points, fill_polygon, true_mask
from vlseg_cli.media.image import read_image
from vlseg_cli.schema import InputError, NoInputError, Query, Question, Sample, Task


class ShapeMasks(NamedTuple):
    """target, ignore: (H, W); no pixel is in both."""

    target: NDArray[np.bool_]
    ignore: NDArray[np.bool_]


def shape_masks(
    shapes: Sequence[Mapping[str, Any]],
    height: int,
    width: int,
    *,
    ignore_is_background: bool = False,
) -> ShapeMasks:
    """Draw ``shapes`` (label, points) from the largest to the smallest; of equals the last first.

    A label that contains "ignore" excludes pixels from evaluation, "flag" is no mask, any other is
    the target. ignore_is_background: ignored pixels count as background, as in HyperSeg.
    """
    kept = [shape for shape in shapes if shape["label"].lower() != "flag"]
    masks = [_filled(shape, height, width) for shape in kept]
    target, ignore = np.zeros((height, width), bool), np.zeros((height, width), bool)
    areas = [np.count_nonzero(mask) for mask in masks]
    for number in np.argsort(areas, kind="stable")[::-1]:
        is_ignored = "ignore" in kept[number]["label"].lower()
        target[masks[number]] = not is_ignored
        ignore[masks[number]] = is_ignored and not ignore_is_background
    return ShapeMasks(target, ignore)


def _filled(shape: Mapping[str, Any], height: int, width: int) -> NDArray[np.bool_]:
    """The shape filled after truncating its points."""
    return fill_polygon(checked_points(shape["points"]).astype(np.int32), height, width)


_KEYS = ("text", "is_sentence", "shapes")


class ReasonSegDataset:
    """One split; a sample has the first question of its image.

    A query's kind is 'long' for sentences and 'short' for phrases. root: the folder of the splits,
    or its parent. kind: restricts the images. all_texts: every rephrasing, which only 'train' has.
    ignore_is_background: see ``shape_masks``. Raises NoInputError if the split is missing or empty.
    """

    def __init__(
        self,
        root: Path,
        split: str,
        *,
        kind: str | None = None,
        all_texts: bool = False,
        ignore_is_background: bool = False,
    ) -> None:
        folder = existing_folder(root / split, root / "ReasonSeg" / split)
        self._images = sorted(folder.glob("*.jpg"))
        if not self._images:
            raise NoInputError(f"{folder} has no *.jpg: fetch ReasonSeg's {split} split.")
        if kind is not None:
            self._images = [path for path in self._images if _kind(_annotation(path)) == kind]
            if not self._images:
                raise NoInputError(f"{folder} has no {kind} question: fetch the whole split.")
        self._all_texts = all_texts
        self._ignore_is_background = ignore_is_background

    def __len__(self) -> int:
        return len(self._images)

    def source(self, number: int) -> str:
        """Path of an image."""
        return str(self._images[number])

    def __getitem__(self, number: int) -> Sample:
        """Read an image and its question. Raises InputError if a file is damaged."""
        path = self._images[number]
        record = _annotation(path)
        frame = read_image(path)
        try:
            masks = shape_masks(
                record["shapes"],
                frame.height,
                frame.width,
                ignore_is_background=self._ignore_is_background,
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            file = path.with_suffix(".json")
            raise InputError(f"{file} is damaged: {error}. Fetch it again.") from error
        texts = record["text"] if self._all_texts else record["text"][:1]
        found = masks.target[None] if masks.target.any() else masks.target[None][:0]
        labels = np.zeros(len(found), np.int64)
        return Sample(
            frame,
            tuple(
                Query(Task.REASON, Question(text), found, labels, masks.ignore, _kind(record))
                for text in texts
            ),
        )


def _kind(record: dict[str, Any]) -> str:
    return "long" if record["is_sentence"] else "short"


def _annotation(image: Path) -> dict[str, Any]:
    """The labelme file of an image, checked for its keys."""
    path = image.with_suffix(".json")
    record: dict[str, Any] = parsed(path, _decode)
    for key in _KEYS:
        if key not in record:
            raise InputError(f"{path} has no {key!r}: it is not a file of ReasonSeg.")
    return record


def _decode(data: bytes) -> Any:
    """UTF-8, or Windows-1252 for some files."""
    try:
        return json.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        return json.loads(data.decode("cp1252"))


# Image folders of each source, below the root or beside it.
_IMAGE_FOLDERS = {"coco": Path("coco/train2017"), "ego_objects": Path("ego_objects/images")}


class LLMSeg40KDataset:
    """One split, a sample per image; a query's kind is the source of its image.

    Raises NoInputError if a file is missing or empty.
    """

    def __init__(self, root: Path, split: str) -> None:
        self._root, self._table = root, root / f"{split}.json"
        self._entries: list[tuple[str, dict[str, Any]]] = list(
            parsed(self._table, json.loads).items()
        )
        if not self._entries:
            raise NoInputError(f"{self._table} is empty: fetch it again.")

    def __len__(self) -> int:
        return len(self._entries)

    def source(self, number: int) -> str:
        """Path of an image. Raises NoInputError if its folder is missing."""
        name, entry = self._entries[number]
        folder = _IMAGE_FOLDERS[entry["from_dataset"]]
        return str(existing_folder(self._root / folder, self._root.parent / folder) / name)

    def __getitem__(self, number: int) -> Sample:
        """Read an image and its questions. Raises InputError if a file is damaged."""
        entry = self._entries[number][1]
        frame = read_image(Path(self.source(number)))
        queries = []
        for pair in entry["qa_pairs"]:
            shape = frame.height, frame.width
            mask = true_mask(pair["rle_seg"], *shape, "union", self._table)[None]
            question = Question(pair["question"])
            labels = np.zeros(1, np.int64)
            queries.append(Query(Task.REASON, question, mask, labels, kind=entry["from_dataset"]))
        return Sample(frame, tuple(queries))
