"""YouTube-VOS's and Ref-YouTube-VOS's folders from drawn clips; held-out truth is left out."""

from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.toy.clips import ToyClip, ToyObject, expressions, toy_clip, write_numbers
from vlseg_cli.datasets.toy.scenes import write_json
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.synthetic.categories import CATEGORIES
from vlseg_cli.synthetic.coco import CATEGORY_ID
from vlseg_cli.synthetic.scene import Scene

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


def _clips(seeds: range, frames: int, size: int) -> list[ToyClip]:
    return [clip for seed in seeds if (clip := toy_clip(seed, frames, size)).things]


def _appearance(clip: ToyClip, number: int) -> int:
    """The frame in which an object is given: of several, the last one comes later."""
    late = 1 < number == len(clip.things)
    return next(
        frame
        for frame, scene in enumerate(clip.scenes)
        if frame >= late and (clip.numbers(scene) == number).any()
    )


def _write_masks(folder: OutputFolder, clip: ToyClip, first: dict[int, int], split: str) -> None:
    for frame, (name, scene) in enumerate(zip(clip.names, clip.scenes, strict=True)):
        if split == "train" or frame in first.values():
            numbers = clip.numbers(scene)
            hidden = [number for number, begin in first.items() if frame < begin]
            numbers[np.isin(numbers, hidden)] = 0
            write_numbers(folder, numbers, split, "Annotations", clip.name, f"{name}.png")


def _sentences(clip: ToyClip, split: str) -> dict[str, dict[str, Any]]:
    """Only training tells the object."""
    found: dict[str, dict[str, Any]] = {}
    for thing in clip.things:
        for text in expressions(clip, thing, _EXPRESSIONS):
            known = {"obj_id": str(thing.number)} if split == "train" else {}
            found[str(len(found))] = {"exp": text, **known}
    return found


def write_ytvis(root: Path, split: str, seeds: range, frames: int = 6, size: int = 192) -> int:
    """Write a split below root, 'train' with its annotations; returns the number of videos.

    frames: of each clip; size: longest side, px. Raises OutputError if a file cannot be written.
    """
    folder = OutputFolder(root)
    clips = [toy_clip(seed, frames, size) for seed in seeds]
    for clip in clips:
        clip.write_frames(folder, split, "JPEGImages")
    tracks = [_track(clip, n, thing) for n, clip in enumerate(clips, 1) for thing in clip.things]
    for number, track in enumerate(tracks, start=1):
        track["id"] = number
    data = {
        "videos": [_video(clip, number) for number, clip in enumerate(clips, start=1)],
        "annotations": tracks if split == "train" else None,
        "categories": [
            {"id": CATEGORY_ID[one.name], "name": one.name, "supercategory": "object"}
            for one in CATEGORIES
            if one.is_thing
        ],
    }
    write_json(folder, data, f"{split}.json")
    return len(clips)


def _video(clip: ToyClip, number: int) -> dict[str, Any]:
    height, width = clip.scenes[0].ids.shape
    return {
        "id": number,
        "file_names": [f"{clip.name}/{name}.jpg" for name in clip.names],
        "height": height,
        "width": width,
        "length": len(clip.names),
    }


def _track(clip: ToyClip, video: int, thing: ToyObject) -> dict[str, Any]:
    """Null where the thing cannot be seen."""
    height, width = clip.scenes[0].ids.shape
    items = [
        next((item for item in scene.items if item.id == thing.id), None) for scene in clip.scenes
    ]
    pairs = list(zip(clip.scenes, items, strict=True))
    return {
        "video_id": video,
        "category_id": CATEGORY_ID[thing.category],
        "iscrowd": 0,
        "height": height,
        "width": width,
        "length": len(clip.names),
        "segmentations": [item and _runs(scene, thing) for scene, item in pairs],
        "bboxes": [item and _xywh(item.box) for item in items],
        "areas": [item and item.area for item in items],
    }


def _runs(scene: Scene, thing: ToyObject) -> dict[str, Any]:
    """Runs of zeros and ones in turn, column by column, zeros first."""
    mask = scene.mask(thing.id)
    pixels = mask.ravel(order="F")
    changes = np.flatnonzero(np.diff(pixels)) + 1
    lengths = np.diff([0, *changes, len(pixels)]).tolist()
    return {"size": list(mask.shape), "counts": [0, *lengths] if pixels[0] else lengths}


def _xywh(box: tuple[int, int, int, int]) -> list[int]:
    x0, y0, x1, y1 = box
    return [x0, y0, x1 - x0, y1 - y0]
