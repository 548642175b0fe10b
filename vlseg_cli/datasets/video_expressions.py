"""Expressions about videos in ``meta_expressions.json``: MeViS, ReVOS and Ref-YouTube-VOS.

The file lists videos with their frames and expressions. MeViS and ReVOS have masks in
``mask_dict.json``: a list of RLE masks, one per frame, for each annotation id. It has hundreds of
megabytes, so only the byte offsets of its entries are kept: an annotation id is the only key
followed by a list, and RLE strings contain no quotes. Masks that are not public are scored by a
server.
"""

import json
import mmap
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.base import VideoFolders, existing_folder, parsed
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
from vlseg_cli.schema.files import open_regular

KINDS = ("referring", "reasoning", "absent")  # by type_id

_META, _MASKS = "meta_expressions.json", "mask_dict.json"
_ENTRY = re.compile(rb'"(\d+)"\s*:\s*(?=\[)')
_CACHED = 64  # parsed entries: about those of one video
_Query = Callable[[FrameFolder, str, Mapping[str, Any]], ClipQuery]  # of an expression, by its key


class _ExpressionDataset(VideoFolders):
    """Videos of ``path``; a query is one expression, its key the expression's id."""

    def __init__(self, frames: Path, path: Path, videos: Mapping[str, Any]) -> None:
        super().__init__(frames, list(videos))
        self._path, self._videos = path, videos

    def _clip(self, number: int, query: _Query, annotations: Path | None = None) -> ClipSample:
        """Open a video. Raises InputError if its record is incomplete."""
        video = self.videos[number]
        frames, entry = existing_folder(self.frames / video), self._videos[video]
        try:
            clip = FrameFolder(frames, entry["frames"], annotations)
            queries = tuple(query(clip, key, one) for key, one in entry["expressions"].items())
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(f"{self._path}: {video} lacks {error}; fetch it again.") from error
        return ClipSample(video, clip.names, clip.read, queries)


class MeViSDataset(_ExpressionDataset):
    """One split of MeViS (Ding et al. 2023): expressions about motion, one or several targets.

    ``SPLIT/meta_expressions.json``, ``SPLIT/mask_dict.json`` and
    ``SPLIT/JPEGImages/VIDEO/00000.jpg``; 'valid' has no masks. Raises NoInputError if a folder or
    file is missing, InputError if one is damaged.
    """

    def __init__(self, root: Path, split: str = "valid_u") -> None:
        folder = existing_folder(root / split)
        path, masks = folder / _META, folder / _MASKS
        super().__init__(existing_folder(folder / "JPEGImages"), path, _read_videos(path))
        self._masks = MaskDict(masks) if split != "valid" or masks.is_file() else None

    def __getitem__(self, number: int) -> ClipSample:
        """Open a video. Raises InputError if its record is incomplete."""
        return self._clip(number, partial(_query_by_masks, self._masks))


class ReVOSDataset(_ExpressionDataset):
    """One split of ReVOS (Yan et al. 2024, VISA): expressions and questions.

    ``meta_expressions_SPLIT_.json``, ``mask_dict.json`` and ``JPEGImages/SOURCE/VIDEO/00000.jpg``;
    in HyperSeg's layout without ``JPEGImages``. A query's kind is 'referring', 'reasoning' or
    'absent' (without a target, not scored). kinds: restricts the expressions, and the videos to
    those that have some. Raises NoInputError if a folder or file is missing, InputError if one is
    damaged.
    """

    def __init__(self, root: Path, split: str = "valid", kinds: Collection[str] = KINDS) -> None:
        path = root / f"meta_expressions_{split}_.json"
        videos = _read_videos(path).items()
        kept = {video: entry for video, entry in videos if not _kinds(entry).isdisjoint(kinds)}
        super().__init__(existing_folder(root / "JPEGImages", root), path, kept)
        self._masks = MaskDict(root / _MASKS)
        self._kinds = kinds

    def __getitem__(self, number: int) -> ClipSample:
        """Open a video. Raises InputError if its record is incomplete."""
        clip = self._clip(number, partial(_query_by_masks, self._masks))
        return replace(clip, queries=tuple(q for q in clip.queries if q.kind in self._kinds))


class RefYouTubeVOSDataset(_ExpressionDataset):
    """One split of Ref-YouTube-VOS (Seo et al. 2020), laid out as YouTube-VOS.

    ``meta_expressions/SPLIT/meta_expressions.json`` beside ``SPLIT/JPEGImages``. 'valid' leaves out
    the videos of 'test', which its file lists too. Raises NoInputError if a file is missing,
    InputError if it is damaged.
    """

    def __init__(self, root: Path, split: str = "valid") -> None:
        path, test = (root / "meta_expressions" / one / _META for one in (split, "test"))
        videos = _read_videos(path)
        if split == "valid" and test.is_file():
            hidden = _read_videos(test)
            videos = {video: entry for video, entry in videos.items() if video not in hidden}
        super().__init__(root / split / "JPEGImages", path, videos)
        self._annotations = root / split / "Annotations"

    def __getitem__(self, number: int) -> ClipSample:
        """Open a video. Raises InputError if its record is incomplete."""
        return self._clip(number, _query_by_object, self._annotations / self.videos[number])


class MaskDict:
    """Masks by annotation id. Raises NoInputError if the file is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with open_regular(path, None) as file:
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
            mask |= true_mask(one, height, width, "union", self._path)
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


def _read_videos(path: Path) -> dict[str, Any]:
    """Records of the videos by name. Raises InputError if the file is damaged."""
    data = parsed(path, json.loads)
    videos = data.get("videos") if isinstance(data, dict) else None
    if not isinstance(videos, dict):
        raise InputError(f"{path} has no 'videos': it is not a file of expressions.")
    return videos


def _kinds(entry: dict[str, Any]) -> set[str]:
    """Kinds of a video's expressions; all for a damaged record, which raises when it is read."""
    try:
        return {KINDS[one["type_id"]] for one in entry["expressions"].values()}
    except (KeyError, TypeError, IndexError, AttributeError):
        return set(KINDS)


def _query_by_masks(
    masks: MaskDict | None, clip: FrameFolder, key: str, expression: Mapping[str, Any]
) -> ClipQuery:
    """Of MeViS and ReVOS; masks: None if they are not public."""
    kind = KINDS[expression["type_id"]] if "type_id" in expression else ""
    prompt = (Question if kind == "reasoning" else Expression)(expression["exp"])
    # Expressions without a target have no id or a negative one.
    objects = tuple(int(one) for one in expression["anno_id"] if one >= 0) if masks else ()
    read = unannotated if masks is None else partial(_masks, clip, masks, objects)
    labels = np.zeros(len(objects), np.int64)
    return ClipQuery(Task.RVOS, prompt, objects, labels, read, key=key, kind=kind)


def _query_by_object(clip: FrameFolder, key: str, expression: Mapping[str, Any]) -> ClipQuery:
    """Of Ref-YouTube-VOS: only 'train' has the number of the target in the annotations."""
    objects = (int(expression["obj_id"]),) if "obj_id" in expression else ()
    read = partial(clip.masks, objects=objects) if objects else unannotated
    labels = np.zeros(len(objects), np.int64)
    return ClipQuery(Task.RVOS, Expression(expression["exp"]), objects, labels, read, key=key)


def _masks(
    clip: FrameFolder, masks: MaskDict, objects: tuple[int, ...], frame: int
) -> NDArray[np.bool_]:
    """(N, H, W) of the annotations in a frame."""
    height, width = clip.size(0)
    stacked = np.zeros((len(objects), height, width), bool)
    for row, one in zip(stacked, objects, strict=True):
        row |= masks.mask(one, frame, height, width)
    return stacked
