"""ReasonSeg's masks: outlined shapes, large ones under small ones, some of them to be ignored.

LISA's ``utils/data_processing.py`` (get_mask_from_json), which SELF1E, LLM-Seg and HyperSeg share.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.polygons import fill_polygon
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
    """Paint ``shapes`` (label, points) from the largest to the smallest; of equals the last first.

    A label with "ignore" in it marks pixels that count neither way, "flag" is no mask, anything
    else is the target. ignore_is_background: HyperSeg's reading, where answers in such pixels are
    wrong.
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
    """Points are cut to whole pixels."""
    return fill_polygon(np.array(shape["points"], np.float64).astype(np.int32), height, width)


SPLITS = ("train", "val", "test")
_KEYS = ("text", "is_sentence", "shapes")


class ReasonSegDataset:
    """One split; every sample asks the first of the picture's questions.

    A query's kind is 'long' for whole sentences and 'short' for phrases, as the tables split them.
    root: the folder that holds the splits, or the one around it. all_texts: ask every rephrasing,
    which only the training split has. kind: only the pictures with questions of this kind.
    ignore_is_background: HyperSeg's reading of the shapes to be
    ignored. Raises NoInputError if there is no such split or it is empty.
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
        self._pictures = sorted(folder.glob("*.jpg"))
        if not self._pictures:
            raise NoInputError(f"{folder} has no *.jpg: fetch ReasonSeg's {split} split.")
        if kind is not None:
            self._pictures = [path for path in self._pictures if _kind(_truth(path)) == kind]
            if not self._pictures:
                raise NoInputError(f"{folder} has no {kind} question: fetch the whole split.")
        self._all_texts = all_texts
        self._ignore_is_background = ignore_is_background

    def __len__(self) -> int:
        return len(self._pictures)

    def source(self, number: int) -> str:
        """Path of a picture."""
        return str(self._pictures[number])

    def __getitem__(self, number: int) -> Sample:
        """Read one picture and its question. Raises InputError if a file is damaged."""
        path = self._pictures[number]
        record = _truth(path)
        frame = read_image(path)
        masks = shape_masks(
            record["shapes"],
            frame.height,
            frame.width,
            ignore_is_background=self._ignore_is_background,
        )
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


def _truth(picture: Path) -> dict[str, Any]:
    """The labelme file of a picture with all its keys."""
    path = picture.with_suffix(".json")
    record: dict[str, Any] = parsed(path, _decoded)
    for key in _KEYS:
        if key not in record:
            raise InputError(f"{path} has no {key!r}: it is no file of ReasonSeg.")
    return record


def _decoded(data: bytes) -> Any:
    """Some files are UTF-8, some are in Windows' western encoding."""
    try:
        return json.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        return json.loads(data.decode("cp1252"))
