"""YouTube-VOS's and Ref-YouTube-VOS's folders from drawn clips; held-out truth is left out."""

from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.specimens.clips import (
    DrawnClip,
    drawn_clip,
    expressions,
    write_numbers,
)
from vlseg_cli.datasets.specimens.pictures import write_json
from vlseg_cli.outputs.folder import OutputFolder

_EXPRESSIONS = 2  # of each object


def write_youtube_vos(
    root: Path, split: str, seeds: range, frames: int = 6, size: int = 192
) -> int:
    """Write a split of YouTube-VOS below root: 'train' whole, others with first masks alone.

    The last object of a clip appears in its second frame. frames: of each clip; size: longest
    side, px. Returns the number of videos. Raises OutputError if a file cannot be written.
    """
    folder, videos = OutputFolder(root), {}
    for clip in _clips(seeds, frames, size):
        clip.write_frames(folder, split, "JPEGImages")
        first = {thing.number: _appearance(clip, thing.number) for thing in clip.things}
        _write_masks(folder, clip, first, split)
        videos[clip.name] = {
            "objects": {
                str(thing.number): {
                    "category": thing.category,
                    "frames": clip.names[first[thing.number] :],
                }
                for thing in clip.things
            }
        }
    write_json(folder, {"videos": videos}, split, "meta.json")
    return len(videos)


def write_ref_youtube_vos(
    root: Path, split: str, seeds: range, frames: int = 6, size: int = 192
) -> int:
    """Write a split of Ref-YouTube-VOS below root, 'train' with its masks; returns the videos."""
    folder, videos = OutputFolder(root), {}
    for clip in _clips(seeds, frames, size):
        clip.write_frames(folder, split, "JPEGImages")
        if split == "train":
            clip.write_numbers(folder, split, "Annotations")
        videos[clip.name] = {"frames": clip.names, "expressions": _sentences(clip, split)}
    meta = ("meta_expressions", split, "meta_expressions.json")
    write_json(folder, {"videos": videos}, *meta)
    return len(videos)


def _clips(seeds: range, frames: int, size: int) -> list[DrawnClip]:
    return [clip for seed in seeds if (clip := drawn_clip(seed, frames, size)).things]


def _appearance(clip: DrawnClip, number: int) -> int:
    """The frame in which an object is given: of several, the last one comes later."""
    late = 1 < number == len(clip.things)
    return next(
        frame
        for frame, scene in enumerate(clip.scenes)
        if frame >= late and (clip.numbers(scene) == number).any()
    )


def _write_masks(folder: OutputFolder, clip: DrawnClip, first: dict[int, int], split: str) -> None:
    for frame, (name, scene) in enumerate(zip(clip.names, clip.scenes, strict=True)):
        if split == "train" or frame in first.values():
            numbers = clip.numbers(scene)
            hidden = [number for number, begin in first.items() if frame < begin]
            numbers[np.isin(numbers, hidden)] = 0
            write_numbers(folder, numbers, split, "Annotations", clip.name, f"{name}.png")


def _sentences(clip: DrawnClip, split: str) -> dict[str, dict[str, Any]]:
    """Only training tells the object."""
    found: dict[str, dict[str, Any]] = {}
    for thing in clip.things:
        for text in expressions(clip, thing, _EXPRESSIONS):
            known = {"obj_id": str(thing.number)} if split == "train" else {}
            found[str(len(found))] = {"exp": text, **known}
    return found
