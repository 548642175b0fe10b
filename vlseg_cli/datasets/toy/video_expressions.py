"""Toy sets of expressions about videos: Ref-DAVIS17, Ref-YouTube-VOS, MeViS and ReVOS.

Every function writes the layout documented by the reader of the same name, from clips of ``seeds``.
frames: per clip; size: longest side, px. Each returns the number of videos and raises OutputError
if a file cannot be written. Annotations that are not public are left out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.davis import RUNS
from vlseg_cli.datasets.toy.clips import ToyClip, ToyObject, clips_with_objects, expressions
from vlseg_cli.datasets.toy.scenes import write_json
from vlseg_cli.datasets.toy.video_objects import write_davis_clips
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema.rle import encode_rle
from vlseg_cli.synthetic.reasoning import reasoning_question
from vlseg_cli.synthetic.referring import no_target_expression

_STREAM = 7  # of a seed's random numbers
_SOURCE = "drawn"  # ReVOS's videos lie in folders of their sources
_REFERRING, _REASONING, _ABSENT = range(3)  # type_id
_PER_OBJECT = 2  # expressions in Ref-YouTube-VOS

_Expression = tuple[str, list[ToyObject], int]  # text, targets, type_id


def write_ref_davis(root: Path, split: str, seeds: range, frames: int = 6, size: int = 192) -> int:
    """A split of DAVIS-2017 with the expressions of Ref-DAVIS17."""
    folder = OutputFolder(root)
    clips = write_davis_clips(folder, split, seeds, frames, size)
    for run, name in enumerate(RUNS):
        lines = [
            f'{clip.name} {thing.number} "{expressions(clip, thing, len(RUNS))[run]}"\n'
            for clip in clips
            for thing in clip.things
        ]
        folder.write("".join(lines).encode(), "davis_text_annotations", f"Davis17_{name}.txt")
    return len(clips)


def write_ref_youtube_vos(
    root: Path, split: str, seeds: range, frames: int = 6, size: int = 192
) -> int:
    """A split of Ref-YouTube-VOS, 'train' with its masks."""
    folder, videos = OutputFolder(root), {}
    is_train = split == "train"
    for clip in clips_with_objects(seeds, frames, size):
        clip.write_frames(folder, split, "JPEGImages")
        if is_train:
            clip.write_numbers(folder, split, "Annotations")
        texts = [(t, text) for t in clip.things for text in expressions(clip, t, _PER_OBJECT)]
        videos[clip.name] = {
            "frames": clip.names,
            "expressions": {
                str(key): {"exp": text, **({"obj_id": str(thing.number)} if is_train else {})}
                for key, (thing, text) in enumerate(texts)
            },
        }
    write_json(folder, {"videos": videos}, "meta_expressions", split, "meta_expressions.json")
    return len(videos)


def write_mevis(root: Path, split: str, seeds: range, frames: int = 6, size: int = 192) -> int:
    """A split of MeViS, 'valid' without its masks."""
    folder, videos, masks = OutputFolder(root), dict[str, Any](), dict[str, Any]()
    for clip in clips_with_objects(seeds, frames, size):
        clip.write_frames(folder, split, "JPEGImages")
        record = _record(clip, masks, len(videos))
        for one in record["expressions"].values():
            del one["type_id"]
        videos[clip.name] = record
    write_json(folder, {"videos": videos}, split, "meta_expressions.json")
    if split != "valid":
        write_json(folder, masks, split, "mask_dict.json")
    return len(videos)


def write_revos(root: Path, split: str, seeds: range, frames: int = 6, size: int = 192) -> int:
    """A split of ReVOS."""
    folder, videos, masks = OutputFolder(root), dict[str, Any](), dict[str, Any]()
    for clip in clips_with_objects(seeds, frames, size):
        clip.write_frames(folder, "JPEGImages", _SOURCE)
        videos[f"{_SOURCE}/{clip.name}"] = _record(clip, masks, len(videos), all_types=True)
    write_json(folder, {"videos": videos}, f"meta_expressions_{split}_.json")
    write_json(folder, masks, "mask_dict.json")
    return len(videos)


def _record(
    clip: ToyClip, masks: dict[str, Any], number: int, all_types: bool = False
) -> dict[str, Any]:
    """The record of a video, whose RLE masks, None where an object is not visible, join ``masks``.

    all_types: also questions and expressions without a target.
    """
    first, (height, width) = len(masks), clip.scenes[0].ids.shape
    for thing in clip.things:
        drawn = (scene.mask(thing.id) for scene in clip.scenes)
        masks[str(len(masks))] = [encode_rle(mask) if mask.any() else None for mask in drawn]
    kept = [one for one in _expressions(clip) if all_types or one[2] == _REFERRING]
    return {
        "vid_id": number,
        "height": height,
        "width": width,
        "frames": clip.names,
        "expressions": {
            str(key): {
                "exp": text,
                "obj_id": [thing.number for thing in things],
                "anno_id": [first + thing.number - 1 for thing in things],
                "type_id": type_id,
            }
            for key, (text, things, type_id) in enumerate(kept)
        },
    }


def _expressions(clip: ToyClip) -> Iterator[_Expression]:
    """One for each object, one for all, a question if one applies, and one without a target."""
    for thing in clip.things:
        yield expressions(clip, thing, 1)[0], [thing], _REFERRING
    union = " and ".join(f"the {thing.category}" for thing in clip.things)
    yield union, list(clip.things), _REFERRING
    rng = np.random.default_rng((clip.scenes[0].seed, _STREAM))
    question = reasoning_question(clip.scenes[0], rng)
    targets = [thing for thing in clip.things if question and thing.id in question.targets]
    if question is not None and len(targets) == len(question.targets):
        yield question.text, targets, _REASONING
    yield no_target_expression(clip.scenes[0], rng).text, [], _ABSENT
