"""LLM-Seg40K (Wang and Ke 2024): questions about images of COCO and EgoObjects, a mask each.

``SPLIT.json`` maps an image file to ``from_dataset`` and ``qa_pairs`` (question, answer, RLE mask).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.polygons import true_mask
from vlseg_cli.media.image import read_image
from vlseg_cli.schema import InputError, NoInputError, Query, Question, Sample, Task

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
            runs = pair["rle_seg"]
            if runs["size"] != [frame.height, frame.width]:
                raise InputError(f"{self._table}: a mask differs in size from {frame.source}.")
            mask = true_mask(runs, frame.height, frame.width, "union")[None]
            question = Question(pair["question"])
            labels = np.zeros(1, np.int64)
            queries.append(Query(Task.REASON, question, mask, labels, kind=entry["from_dataset"]))
        return Sample(frame, tuple(queries))
