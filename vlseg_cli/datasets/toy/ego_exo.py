"""Ego-Exo4D's processed takes from drawn clips: one camera sees a moment, the other the next."""

from pathlib import Path

from vlseg_cli.datasets.toy.clips import toy_clip
from vlseg_cli.datasets.toy.scenes import write_jpeg, write_json
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema.rle import RLE, encode_rle

_CAMERAS = ("aria01_214-1", "cam01")


def write_ego_exo(root: Path, seeds: range, frames: int = 3, size: int = 192) -> int:
    """Write a take for each seed below root; returns how many have an object to be found.

    frames: of each take; size: longest side, px. Raises OutputError if a file cannot be written.
    """
    folder, written = OutputFolder(root), 0
    for seed in seeds:
        clip = toy_clip(seed, 2 * frames, size)
        if not clip.things:
            continue
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
