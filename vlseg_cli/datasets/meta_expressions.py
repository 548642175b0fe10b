"""``meta_expressions.json``: the videos of a referring set and what is said about each.

``{videos: {NAME: {frames, expressions: {KEY: {exp, …}}}}}``. Ref-YouTube-VOS adds the object's
number, MeViS and ReVOS numbers of annotations (``mask_dict``), ReVOS alone the type.
"""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.clip_folder import ClipFolder, hidden
from vlseg_cli.datasets.dataset import parsed
from vlseg_cli.datasets.mask_dict import MaskDict
from vlseg_cli.schema import ClipQuery, ClipSample, Expression, InputError, Question, Task

KINDS = ("referring", "reasoning", "absent")  # by type_id


def read_videos(path: Path) -> dict[str, Any]:
    """Entries of the videos by name. Raises InputError if it is no such file."""
    data = parsed(path, json.loads)
    videos = data.get("videos") if isinstance(data, dict) else None
    if not isinstance(videos, dict):
        raise InputError(f"{path} has no 'videos': it is no file of expressions.")
    return videos


def expression_clip(
    path: Path, video: str, entry: Mapping[str, Any], frames: Path, masks: MaskDict | None
) -> ClipSample:
    """The clip of an entry of MeViS's or ReVOS's file; masks: None if only a server knows it.

    Raises InputError if the entry lacks something.
    """
    try:
        clip = ClipFolder(frames, entry["frames"])
        queries = tuple(
            _query(clip, key, expression, masks) for key, expression in entry["expressions"].items()
        )
    except (KeyError, TypeError, IndexError) as error:
        raise InputError(f"{path}: {video} lacks {error}; fetch it again.") from error
    return ClipSample(video, clip.names, clip.read, queries)


def _query(
    clip: ClipFolder, key: str, expression: Mapping[str, Any], masks: MaskDict | None
) -> ClipQuery:
    kind = KINDS[expression["type_id"]] if "type_id" in expression else ""
    words = (Question if kind == "reasoning" else Expression)(expression["exp"])
    # Expressions about nothing have no number or a negative one.
    annotations = [int(one) for one in expression["anno_id"] if one >= 0] if masks else []
    objects = tuple(annotations)
    return ClipQuery(
        Task.RVOS,
        words,
        objects,
        np.zeros(len(objects), np.int64),
        hidden if masks is None else partial(_masks, clip, masks, objects),
        key=key,
        kind=kind,
    )


def _masks(
    clip: ClipFolder, masks: MaskDict, objects: tuple[int, ...], frame: int
) -> NDArray[np.bool_]:
    """(M, H, W) of the annotations in a frame."""
    height, width = clip.size(0)
    stacked = np.zeros((len(objects), height, width), bool)
    for row, one in zip(stacked, objects, strict=True):
        row |= masks.mask(one, frame, height, width)
    return stacked
