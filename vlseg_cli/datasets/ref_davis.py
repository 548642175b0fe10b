"""Ref-DAVIS17 (Khoreva et al. 2018): DAVIS-2017 with four expressions for every object.

``davis_text_annotations/Davis17_annot{1,2}[_full_video].txt`` beside DAVIS itself: each of two
annotators saw the first frame only, then the whole video. Truth is the unsupervised annotation,
with its void pixels.
"""

import re
from functools import partial
from pathlib import Path

import numpy as np

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.davis import davis_root, frames_folder, sequence_folder, sequences
from vlseg_cli.datasets.frame_folders import FrameFolder
from vlseg_cli.schema import ClipQuery, ClipSample, Expression, InputError, Task

RUNS = ("annot1", "annot1_full_video", "annot2", "annot2_full_video")  # as ReferFormer counts them

_LINE = re.compile(r'(\S+)\s+(\d+)\s+"(.*)"')
_RENAMED = {"clasic-car": "classic-car", "dog-scale": "dogs-scale", "motor-bike": "motorbike"}

Expressions = dict[tuple[str, int], str]  # by sequence and object


class RefDAVIS:
    """One split of sequences; a query is one expression, its kind the annotation it is of.

    Its key is ReferFormer's number: four for every object, in the order of ``RUNS``. root: holds
    ``davis_text_annotations`` and DAVIS, in one folder or side by side. Raises NoInputError if a
    file or the split is missing, InputError if a file of expressions is damaged.
    """

    def __init__(self, root: Path, split: str = "val") -> None:
        self._root = davis_root(root)
        self._sequences = sequences(self._root, split)
        self._texts = existing_folder(
            root / "davis_text_annotations", self._root / "davis_text_annotations"
        )
        self._runs = [_expressions(self._texts / f"Davis17_{run}.txt") for run in RUNS]

    def __len__(self) -> int:
        return len(self._sequences)

    def source(self, number: int) -> str:
        """The folder of a sequence."""
        return str(frames_folder(self._root, self._sequences[number]))

    def __getitem__(self, number: int) -> ClipSample:
        """Open a sequence. Raises InputError if an object lacks an expression."""
        sequence = self._sequences[number]
        clip = sequence_folder(self._root, sequence, "Annotations_unsupervised")
        queries = []
        for position, one in enumerate(clip.objects(0)):
            for run, (name, expressions) in enumerate(zip(RUNS, self._runs, strict=True)):
                if (sequence, one) not in expressions:
                    raise InputError(
                        f"{self._texts}/Davis17_{name}.txt says nothing of object {one} of"
                        f" {sequence}: fetch it again."
                    )
                text = expressions[sequence, one]
                queries.append(_query(clip, text, one, str(len(RUNS) * position + run), name))
        return ClipSample(sequence, clip.names, clip.read, tuple(queries))


def _query(clip: FrameFolder, text: str, one: int, key: str, kind: str) -> ClipQuery:
    return ClipQuery(
        Task.RVOS,
        Expression(text),
        (one,),
        np.zeros(1, np.int64),
        partial(clip.masks, objects=(one,)),
        clip.void,
        key=key,
        kind=kind,
    )


def _expressions(path: Path) -> Expressions:
    """Lines ``sequence object "expression"``; some sequences are misspelled."""
    found: Expressions = {}
    for line in parsed(path, _decoded).splitlines():
        if line.strip():
            match = _LINE.match(line.strip())
            if match is None:
                raise InputError(f"{path} has a line that is no expression: {line!r}.")
            sequence, one, text = match.groups()
            found[_RENAMED.get(sequence, sequence), int(one)] = text
    return found


def _decoded(data: bytes) -> str:
    """UTF-8, or Windows' western encoding where people typed curly quotes."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252")
