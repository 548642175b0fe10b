"""DAVIS-2017's folders from drawn clips, and Ref-DAVIS17's expressions beside them."""

from pathlib import Path

from vlseg_cli.datasets.toy.clips import ToyClip, expressions, toy_clip
from vlseg_cli.outputs.folder import OutputFolder

_RUNS = ("annot1", "annot1_full_video", "annot2", "annot2_full_video")


def write_davis(root: Path, split: str, seeds: range, frames: int = 6, size: int = 192) -> int:
    """Write a split of DAVIS below root, with its unsupervised annotations; returns the sequences.

    frames: of each; size: longest side, px. Clips that show no thing at first are left out. Raises
    OutputError if a file cannot be written.
    """
    return len(_write(OutputFolder(root), split, seeds, frames, size))


def write_ref_davis(root: Path, split: str, seeds: range, frames: int = 6, size: int = 192) -> int:
    """The same with ``davis_text_annotations``; returns the number of sequences."""
    folder = OutputFolder(root)
    clips = _write(folder, split, seeds, frames, size)
    for run, name in enumerate(_RUNS):
        lines = [
            f'{clip.name} {thing.number} "{expressions(clip, thing, len(_RUNS))[run]}"\n'
            for clip in clips
            for thing in clip.things
        ]
        folder.write("".join(lines).encode(), "davis_text_annotations", f"Davis17_{name}.txt")
    return len(clips)


def _write(folder: OutputFolder, split: str, seeds: range, frames: int, size: int) -> list[ToyClip]:
    clips = [clip for seed in seeds if (clip := toy_clip(seed, frames, size)).things]
    for clip in clips:
        clip.write_frames(folder, "JPEGImages", "480p")
        clip.write_numbers(folder, "Annotations", "480p")
        clip.write_numbers(folder, "Annotations_unsupervised", "480p", void=True)
    listed = "".join(f"{clip.name}\n" for clip in clips)
    folder.write(listed.encode(), "ImageSets", "2017", f"{split}.txt")
    return clips
