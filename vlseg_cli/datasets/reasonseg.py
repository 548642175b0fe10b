"""ReasonSeg (Lai et al. 2024): a question per picture, its answer outlined in a labelme file.

``ReasonSeg/{train,val,test}/NAME.jpg`` with ``NAME.json``; other files may lie beside them.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.dataset import existing_folder, parsed
from vlseg_cli.datasets.labelme import shape_masks
from vlseg_cli.media.image import read_image
from vlseg_cli.schema import InputError, NoInputError, Query, Question, Sample, Task

SPLITS = ("train", "val", "test")
_KEYS = ("text", "is_sentence", "shapes")


class ReasonSeg:
    """One split; every sample asks the first of the picture's questions.

    A query's kind is 'long' for whole sentences and 'short' for phrases, as the tables split them.
    root: the folder that holds the splits, or the one around it. all_texts: ask every rephrasing,
    which only the training split has. ignore_is_background: HyperSeg's reading of the shapes to be
    ignored. Raises NoInputError if there is no such split or it is empty.
    """

    def __init__(
        self,
        root: Path,
        split: str,
        *,
        all_texts: bool = False,
        ignore_is_background: bool = False,
    ) -> None:
        folder = existing_folder(root / split, root / "ReasonSeg" / split)
        self._pictures = sorted(folder.glob("*.jpg"))
        if not self._pictures:
            raise NoInputError(f"{folder} has no *.jpg: fetch ReasonSeg's {split} split.")
        self._all_texts = all_texts
        self._ignore_is_background = ignore_is_background

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, number: int) -> Sample:
        """Read one picture and its question. Raises InputError if a file is damaged."""
        path = self._pictures[number]
        record = _record(path.with_suffix(".json"))
        frame = read_image(path)
        masks = shape_masks(
            record["shapes"],
            frame.height,
            frame.width,
            ignore_is_background=self._ignore_is_background,
        )
        texts = record["text"] if self._all_texts else record["text"][:1]
        kind = "long" if record["is_sentence"] else "short"
        found = masks.target[None] if masks.target.any() else masks.target[None][:0]
        labels = np.zeros(len(found), np.int64)
        return Sample(
            frame,
            tuple(
                Query(Task.REASON, Question(text), found, labels, masks.ignore, kind)
                for text in texts
            ),
        )


def _record(path: Path) -> dict[str, Any]:
    """A labelme file with all its keys."""
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
