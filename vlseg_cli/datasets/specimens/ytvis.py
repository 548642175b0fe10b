"""YouTube-VIS 2019's files from drawn clips: every thing of every category, in runs as lists."""

from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.specimens.clips import DrawnClip, Thing, drawn_clip
from vlseg_cli.datasets.specimens.pictures import write_json
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.worlds.categories import CATEGORIES
from vlseg_cli.worlds.coco import CATEGORY_ID
from vlseg_cli.worlds.scene import Scene


def write_ytvis(root: Path, split: str, seeds: range, frames: int = 6, size: int = 192) -> int:
    """Write a split below root, 'train' with its annotations; returns the number of videos.

    frames: of each clip; size: longest side, px. Raises OutputError if a file cannot be written.
    """
    folder = OutputFolder(root)
    clips = [drawn_clip(seed, frames, size) for seed in seeds]
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


def _video(clip: DrawnClip, number: int) -> dict[str, Any]:
    height, width = clip.scenes[0].ids.shape
    return {
        "id": number,
        "file_names": [f"{clip.name}/{name}.jpg" for name in clip.names],
        "height": height,
        "width": width,
        "length": len(clip.names),
    }


def _track(clip: DrawnClip, video: int, thing: Thing) -> dict[str, Any]:
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


def _runs(scene: Scene, thing: Thing) -> dict[str, Any]:
    """Runs of zeros and ones in turn, column by column, zeros first."""
    mask = scene.mask(thing.id)
    pixels = mask.ravel(order="F")
    changes = np.flatnonzero(np.diff(pixels)) + 1
    lengths = np.diff([0, *changes, len(pixels)]).tolist()
    return {"size": list(mask.shape), "counts": [0, *lengths] if pixels[0] else lengths}


def _xywh(box: tuple[int, int, int, int]) -> list[int]:
    x0, y0, x1, y1 = box
    return [x0, y0, x1 - x0, y1 - y0]
