"""MeViS's and ReVOS's folders from drawn clips: expressions of one thing, of all, of nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.toy.clips import ToyClip, ToyObject, expressions, toy_clip
from vlseg_cli.datasets.toy.scenes import write_json
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema.rle import RLE, encode_rle
from vlseg_cli.synthetic.reasoning import reasoning_question
from vlseg_cli.synthetic.referring import no_target_expression

_STREAM = 7  # of a seed's random numbers
_SOURCE = "drawn"  # ReVOS's videos lie in folders of their sources
_REFERRING, _REASONING, _ABSENT = range(3)  # type_id

Expression = tuple[str, list[ToyObject], int]


def write_mevis(root: Path, split: str, seeds: range, frames: int = 6, size: int = 192) -> int:
    """Write a split of MeViS below root, 'valid' without its masks; returns the videos.

    frames: of each clip; size: longest side, px. Raises OutputError if a file cannot be written.
    """
    folder = OutputFolder(root)
    videos: dict[str, Any] = {}
    masks: dict[str, Any] = {}
    for clip in _clips(seeds, frames, size):
        clip.write_frames(folder, split, "JPEGImages")
        first = len(masks)
        masks |= _masks(clip, first)
        entry = _entry(clip, first, len(videos))
        for one in entry["expressions"].values():
            del one["type_id"]
        videos[clip.name] = entry
    write_json(folder, {"videos": videos}, split, "meta_expressions.json")
    if split != "valid":
        write_json(folder, masks, split, "mask_dict.json")
    return len(videos)


def write_revos(root: Path, split: str, seeds: range, frames: int = 6, size: int = 192) -> int:
    """Write a split of ReVOS below root; returns the number of videos."""
    folder = OutputFolder(root)
    videos: dict[str, Any] = {}
    masks: dict[str, Any] = {}
    for clip in _clips(seeds, frames, size):
        clip.write_frames(folder, "JPEGImages", _SOURCE)
        first = len(masks)
        masks |= _masks(clip, first)
        videos[f"{_SOURCE}/{clip.name}"] = _entry(clip, first, len(videos), typed=True)
    write_json(folder, {"videos": videos}, f"meta_expressions_{split}_.json")
    write_json(folder, masks, "mask_dict.json")
    return len(videos)


def _clips(seeds: range, frames: int, size: int) -> Iterator[ToyClip]:
    clips = (toy_clip(seed, frames, size) for seed in seeds)
    return (clip for clip in clips if clip.things)


def _masks(clip: ToyClip, first: int) -> dict[str, list[RLE | None]]:
    """Runs of every thing in every frame, None where it cannot be seen."""
    found: dict[str, list[RLE | None]] = {}
    for thing in clip.things:
        seen = (scene.mask(thing.id) for scene in clip.scenes)
        found[str(first + len(found))] = [encode_rle(m) if m.any() else None for m in seen]
    return found


def _entry(clip: ToyClip, first: int, number: int, typed: bool = False) -> dict[str, Any]:
    height, width = clip.scenes[0].ids.shape
    sentences = [one for one in _sentences(clip) if typed or one[2] == _REFERRING]
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
                "type_id": kind,
            }
            for key, (text, things, kind) in enumerate(sentences)
        },
    }


def _sentences(clip: ToyClip) -> Iterator[Expression]:
    """One of each thing, one of all, a question if the clip answers one, and one of nothing."""
    for thing in clip.things:
        yield expressions(clip, thing, 1)[0], [thing], _REFERRING
    together = " and ".join(f"the {thing.category}" for thing in clip.things)
    yield together, list(clip.things), _REFERRING
    rng = np.random.default_rng((clip.scenes[0].seed, _STREAM))
    question = reasoning_question(clip.scenes[0], rng)
    meant = [thing for thing in clip.things if question and thing.id in question.targets]
    if question is not None and len(meant) == len(question.targets):
        yield question.text, meant, _REASONING
    absent = no_target_expression(clip.scenes[0], rng)
    if absent is not None:
        yield absent.text, [], _ABSENT
