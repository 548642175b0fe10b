"""DAVIS-2017 (Pont-Tuset et al. 2017), semi-supervised: masks in the first frame, to be followed.

``JPEGImages/480p/SEQUENCE/00000.jpg``, ``Annotations/480p/SEQUENCE/00000.png`` and the sequences
of each split in ``ImageSets/2017/SPLIT.txt``.
"""

from pathlib import Path

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.frame_folders import FrameFolder, follow, frame_names
from vlseg_cli.schema import ClipSample, NoInputError

SPLITS = ("train", "val")
_PLACES = ("", "DAVIS", "2017/trainval", "DAVIS/2017/trainval")  # as unpacked; as PSALM keeps it


class DAVIS:
    """One split; a clip asks for all objects of its first frame at once.

    Void pixels, which only the unsupervised annotations have, are background here. Raises
    NoInputError if a folder or the split is missing.
    """

    def __init__(self, root: Path, split: str = "val") -> None:
        self._root = davis_root(root)
        self._sequences = sequences(self._root, split)

    def __len__(self) -> int:
        return len(self._sequences)

    def source(self, number: int) -> str:
        """The folder of a sequence."""
        return str(frames_folder(self._root, self._sequences[number]))

    def __getitem__(self, number: int) -> ClipSample:
        """Open a sequence. Raises InputError if its first annotation is missing or damaged."""
        sequence = self._sequences[number]
        clip = sequence_folder(self._root, sequence, "Annotations")
        objects = clip.objects(0)
        queries = (follow(clip, 0, objects),) if objects else ()
        return ClipSample(sequence, clip.names, clip.read, queries)


def davis_root(root: Path) -> Path:
    """The folder that holds ``JPEGImages``, at or below ``root``."""
    return existing_folder(*(root / place / "JPEGImages" / "480p" for place in _PLACES)).parents[1]


def sequences(root: Path, split: str) -> list[str]:
    """Names of a split's sequences. Raises NoInputError if there is no such split."""
    path = root / "ImageSets" / "2017" / f"{split}.txt"
    names = parsed(path, bytes.decode).split()
    if not names:
        raise NoInputError(f"{path} names no sequence: fetch it again.")
    return names


def frames_folder(root: Path, sequence: str) -> Path:
    """The folder of a sequence's pictures."""
    return root / "JPEGImages" / "480p" / sequence


def sequence_folder(root: Path, sequence: str, annotations: str) -> FrameFolder:
    """One sequence with the annotations of that folder: 'Annotations' or '…_unsupervised'."""
    frames = existing_folder(frames_folder(root, sequence))
    return FrameFolder(frames, frame_names(frames), root / annotations / "480p" / sequence)
