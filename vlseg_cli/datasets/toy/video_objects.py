"""Toy sets of objects in videos: DAVIS-2017, YouTube-VOS, YouTube-VIS and Ego-Exo4D.

Every function writes the layout documented by the reader of the same name, from clips of ``seeds``.
frames: per clip; size: longest side, px. Each returns the number of videos and raises OutputError
if a file cannot be written. Annotations that are not public are left out.
"""

from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.toy.clips import ToyClip, ToyObject, clips_with_objects, toy_clip
from vlseg_cli.datasets.toy.scenes import run_lengths, write_jpeg, write_json, write_palette_png
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema.rle import RLE, encode_rle
from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.coco import CATEGORY_ID, xywh
from vlseg_cli.synthetic.hands import NAMES

_CAMERAS = ("aria01_214-1", "cam01")


def write_davis(root: Path, split: str, seeds: range, frames: int = 6, size: int = 192) -> int:
    """A split of DAVIS-2017, with the unsupervised annotations."""
    return len(write_davis_clips(OutputFolder(root), split, seeds, frames, size))


def write_davis_clips(
    folder: OutputFolder, split: str, seeds: range, frames: int, size: int
) -> list[ToyClip]:
    """Write a split of DAVIS-2017; returns its clips."""
    clips = list(clips_with_objects(seeds, frames, size))
    for clip in clips:
        clip.write_frames(folder, "JPEGImages", "480p")
        clip.write_numbers(folder, "Annotations", "480p")
        clip.write_numbers(folder, "Annotations_unsupervised", "480p", void=True)
    names = "".join(f"{clip.name}\n" for clip in clips)
    folder.write(names.encode(), "ImageSets", "2017", f"{split}.txt")
    return clips


def write_youtube_vos(
    root: Path, split: str, seeds: range, frames: int = 6, size: int = 192
) -> int:
    """A split of YouTube-VOS: 'train' with all masks, others with those of first appearances.

    The last of several objects appears in the second frame.
    """
    folder, videos = OutputFolder(root), {}
    for clip in clips_with_objects(seeds, frames, size):
        clip.write_frames(folder, split, "JPEGImages")
        first = {thing.number: _first_frame(clip, thing.number) for thing in clip.things}
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


def _first_frame(clip: ToyClip, number: int) -> int:
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
            later = [number for number, begin in first.items() if frame < begin]
            numbers[np.isin(numbers, later)] = 0
            write_palette_png(folder, numbers, split, "Annotations", clip.name, f"{name}.png")


def write_youtube_vis(
    root: Path, split: str, seeds: range, frames: int = 6, size: int = 192
) -> int:
    """A split of YouTube-VIS, 'train' with its annotations."""
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
            {"id": CATEGORY_ID[name], "name": name, "supercategory": "object"}
            for name in NAMES
            if BY_NAME[name].is_thing
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
    """Null in frames where the object is not visible."""
    height, width = clip.scenes[0].ids.shape
    items = [
        next((item for item in scene.items if item.id == thing.id), None) for scene in clip.scenes
    ]
    masks = (scene.mask(thing.id) for scene in clip.scenes)
    runs = [{"size": [height, width], "counts": run_lengths(mask)} for mask in masks]
    return {
        "video_id": video,
        "category_id": CATEGORY_ID[thing.category],
        "iscrowd": 0,
        "height": height,
        "width": width,
        "length": len(clip.names),
        "segmentations": [item and run for item, run in zip(items, runs, strict=True)],
        "bboxes": [item and xywh(item.box) for item in items],
        "areas": [item and item.area for item in items],
    }


def write_ego_exo(root: Path, seeds: range, frames: int = 3, size: int = 192) -> int:
    """Processed takes of Ego-Exo4D: one camera has the even frames of a clip, the other the odd."""
    folder, written = OutputFolder(root), 0
    for clip in clips_with_objects(seeds, 2 * frames, size):
        masks: dict[str, dict[str, dict[str, RLE]]] = {
            f"{thing.category}_{thing.number}": {camera: {} for camera in _CAMERAS}
            for thing in clip.things
        }
        for number, scene in enumerate(clip.scenes):
            frame, camera = str(number // 2 * 30), _CAMERAS[number % 2]
            write_jpeg(folder, scene, clip.name, camera, f"{frame}.jpg")
            for thing in clip.things:
                mask = scene.mask(thing.id)
                if mask.any():
                    masks[f"{thing.category}_{thing.number}"][camera][frame] = encode_rle(mask)
        record = {"masks": masks, "subsample_idx": [30 * number for number in range(frames)]}
        write_json(folder, record, clip.name, "annotation.json")
        written += 1
    return written
