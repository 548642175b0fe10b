"""The files of MeViS and ReVOS: ``meta_expressions.json`` and ``mask_dict.json``.

The first lists videos with their expressions, the second has a list of RLE masks, one per frame,
for each annotation id. It has hundreds of megabytes, so only the byte offsets of its entries are
kept: an annotation id is the only key followed by a list, and RLE strings contain no quotes.
"""

import json
import mmap
import re
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.base import parsed
from vlseg_cli.datasets.frame_folders import FrameFolder, unannotated
from vlseg_cli.datasets.polygons import true_mask
from vlseg_cli.schema import (
    ClipQuery,
    ClipSample,
    Expression,
    InputError,
    NoInputError,
    Question,
    Task,
)

_ENTRY = re.compile(rb'"(\d+)"\s*:\s*(?=\[)')
_CACHED = 64  # parsed entries: about those of one video


class MaskDict:
    """Masks by annotation id. Raises NoInputError if the file is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError as error:
            raise NoInputError(f"{path} is missing: the data set is incomplete.") from error
        except (OSError, ValueError) as error:
            raise InputError(f"{path} is damaged ({error}): fetch it again.") from error
        starts = [
            (int(found[1]), found.start(), found.end()) for found in _ENTRY.finditer(self._data)
        ]
        ends = [start for _, start, _ in starts[1:]] + [len(self._data)]
        self._offsets = {
            number: (begin, end) for (number, _, begin), end in zip(starts, ends, strict=True)
        }
        self._entry = lru_cache(_CACHED)(self._parsed)

    def mask(self, annotation: int, frame: int, height: int, width: int) -> NDArray[np.bool_]:
        """(H, W) of one object in one frame, empty where it is not visible.

        Raises InputError if the annotation is missing, damaged or of another size.
        """
        entry = self._entry(annotation)
        if frame >= len(entry):
            raise InputError(
                f"{self._path} has {len(entry)} frames of annotation {annotation}, but the video"
                " has more: they are of different releases."
            )
        mask = np.zeros((height, width), bool)
        runs = entry[frame]
        for one in runs if isinstance(runs, list) else [runs] if runs else []:
            if one["size"] != [height, width]:
                raise InputError(
                    f"{self._path}: annotation {annotation} is {one['size'][1]} x {one['size'][0]}"
                    f" px, but its video is {width} x {height}."
                )
            mask |= true_mask(one, height, width, "union")
        return mask

    def _parsed(self, annotation: int) -> list[Any]:
        if annotation not in self._offsets:
            raise InputError(f"{self._path} lacks annotation {annotation} of an expression.")
        begin, end = self._offsets[annotation]
        try:
            entry, _ = json.JSONDecoder().raw_decode(self._data[begin:end].decode())
        except ValueError as error:
            raise InputError(
                f"{self._path} is damaged at annotation {annotation} ({error}): fetch it again."
            ) from error
        return list(entry)


KINDS = ("referring", "reasoning", "absent")  # by type_id


def read_videos(path: Path) -> dict[str, Any]:
    """Records of the videos by name. Raises InputError if the file is damaged."""
    data = parsed(path, json.loads)
    videos = data.get("videos") if isinstance(data, dict) else None
    if not isinstance(videos, dict):
        raise InputError(f"{path} has no 'videos': it is not a file of expressions.")
    return videos


def expression_clip(
    path: Path, video: str, entry: Mapping[str, Any], frames: Path, masks: MaskDict | None
) -> ClipSample:
    """The clip of a video's record; masks: None if they are not public.

    Raises InputError if the record is incomplete.
    """
    try:
        clip = FrameFolder(frames, entry["frames"])
        queries = tuple(
            _query(clip, key, expression, masks) for key, expression in entry["expressions"].items()
        )
    except (KeyError, TypeError, IndexError) as error:
        raise InputError(f"{path}: {video} lacks {error}; fetch it again.") from error
    return ClipSample(video, clip.names, clip.read, queries)


def _query(
    clip: FrameFolder, key: str, expression: Mapping[str, Any], masks: MaskDict | None
) -> ClipQuery:
    kind = KINDS[expression["type_id"]] if "type_id" in expression else ""
    prompt = (Question if kind == "reasoning" else Expression)(expression["exp"])
    # Expressions without a target have no id or a negative one.
    annotations = [int(one) for one in expression["anno_id"] if one >= 0] if masks else []
    objects = tuple(annotations)
    return ClipQuery(
        Task.RVOS,
        prompt,
        objects,
        np.zeros(len(objects), np.int64),
        unannotated if masks is None else partial(_masks, clip, masks, objects),
        key=key,
        kind=kind,
    )


def _masks(
    clip: FrameFolder, masks: MaskDict, objects: tuple[int, ...], frame: int
) -> NDArray[np.bool_]:
    """(N, H, W) of the annotations in a frame."""
    height, width = clip.size(0)
    stacked = np.zeros((len(objects), height, width), bool)
    for row, one in zip(stacked, objects, strict=True):
        row |= masks.mask(one, frame, height, width)
    return stacked
