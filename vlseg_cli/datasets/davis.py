"""DAVIS-2017 (Pont-Tuset et al. 2017), semi-supervised, and Ref-DAVIS17 (Khoreva et al. 2018).

``JPEGImages/480p/SEQUENCE/00000.jpg``, ``Annotations/480p/SEQUENCE/00000.png`` and the sequences
of each split in ``ImageSets/2017/SPLIT.txt``. Ref-DAVIS17 adds
``davis_text_annotations/Davis17_annot{1,2}[_full_video].txt``: four expressions per object, by two
annotators who saw the first frame or the whole video. Its masks are the unsupervised annotations,
with their void pixels.
"""

import re
from functools import partial
from pathlib import Path

import numpy as np

from vlseg_cli.datasets.base import VideoFolders, existing_folder, parsed
from vlseg_cli.datasets.frame_folders import FrameFolder, frame_names, tracking_query
from vlseg_cli.schema import ClipQuery, ClipSample, Expression, InputError, NoInputError, Task

_ROOTS = ("", "DAVIS", "2017/trainval", "DAVIS/2017/trainval")  # official; in PSALM's layout


class _Sequences(VideoFolders):
    """The sequences of a split. Raises NoInputError if a folder or the split is missing."""

    def __init__(self, root: Path, split: str = "val") -> None:
        images = existing_folder(*(root / one / "JPEGImages" / "480p" for one in _ROOTS))
        self.root = images.parents[1]
        path = self.root / "ImageSets" / "2017" / f"{split}.txt"
        super().__init__(images, parsed(path, bytes.decode).split())
        if not self.videos:
            raise NoInputError(f"{path} lists no sequence: fetch it again.")

    def folder(self, number: int, annotations: str) -> FrameFolder:
        """One sequence with the annotations of that folder: 'Annotations' or '…_unsupervised'."""
        frames = existing_folder(Path(self.source(number)))
        masks = self.root / annotations / "480p" / self.videos[number]
        return FrameFolder(frames, frame_names(frames), masks)


class DAVISDataset(_Sequences):
    """One split; a clip has one query for all objects of its first frame.

    Void pixels, which only the unsupervised annotations have, are background here. Raises
    NoInputError if a folder or the split is missing.
    """

    def __getitem__(self, number: int) -> ClipSample:
        """Open a sequence. Raises InputError if its first annotation is missing or damaged."""
        clip = self.folder(number, "Annotations")
        objects = clip.objects(0)
        queries = (tracking_query(clip, 0, objects),) if objects else ()
        return ClipSample(self.videos[number], clip.names, clip.read, queries)


RUNS = ("annot1", "annot1_full_video", "annot2", "annot2_full_video")  # in ReferFormer's order

_LINE = re.compile(r'(\S+)\s+(\d+)\s+"(.*)"')
_RENAMED = {"clasic-car": "classic-car", "dog-scale": "dogs-scale", "motor-bike": "motorbike"}

Expressions = dict[tuple[str, int], str]  # by sequence and object


class RefDAVISDataset(_Sequences):
    """One split of sequences; a query is one expression, its kind the annotation run.

    Its key is ReferFormer's number: four per object, in the order of ``RUNS``. root: contains
    ``davis_text_annotations`` and DAVIS, in one folder or side by side. Raises NoInputError if a
    file or the split is missing, InputError if a file of expressions is damaged.
    """

    def __init__(self, root: Path, split: str = "val") -> None:
        super().__init__(root, split)
        self._texts = existing_folder(
            root / "davis_text_annotations", self.root / "davis_text_annotations"
        )
        self._runs = [_expressions(self._texts / f"Davis17_{run}.txt") for run in RUNS]

    def __getitem__(self, number: int) -> ClipSample:
        """Open a sequence. Raises InputError if an object lacks an expression."""
        sequence, clip = self.videos[number], self.folder(number, "Annotations_unsupervised")
        queries = []
        for position, one in enumerate(clip.objects(0)):
            for run, (name, expressions) in enumerate(zip(RUNS, self._runs, strict=True)):
                if (sequence, one) not in expressions:
                    raise InputError(
                        f"{self._texts}/Davis17_{name}.txt has no expression for object {one} of"
                        f" {sequence}: fetch it again."
                    )
                text = expressions[sequence, one]
                queries.append(
                    ClipQuery(
                        Task.RVOS,
                        Expression(text),
                        (one,),
                        np.zeros(1, np.int64),
                        partial(clip.masks, objects=(one,)),
                        clip.void,
                        key=str(len(RUNS) * position + run),
                        kind=name,
                    )
                )
        return ClipSample(sequence, clip.names, clip.read, tuple(queries))


def _expressions(path: Path) -> Expressions:
    """Lines ``sequence object "expression"``; some sequence names are corrected."""
    found: Expressions = {}
    for line in parsed(path, _decode).splitlines():
        if line.strip():
            match = _LINE.match(line.strip())
            if match is None:
                raise InputError(f"{path} has a line that is not an expression: {line!r}.")
            sequence, one, text = match.groups()
            found[_RENAMED.get(sequence, sequence), int(one)] = text
    return found


def _decode(data: bytes) -> str:
    """UTF-8, or Windows-1252 for curly quotes."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252")
