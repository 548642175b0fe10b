"""Ref-YouTube-VOS (Seo et al. 2020): expressions about objects of YouTube-VOS.

``meta_expressions/SPLIT/meta_expressions.json``, ``SPLIT/JPEGImages/VIDEO/00000.jpg`` and, for
training alone, ``train/Annotations/VIDEO/00000.png``. Answers to 'valid' are scored by a server.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.base import existing_folder
from vlseg_cli.datasets.frame_folders import FrameFolder, hidden
from vlseg_cli.datasets.meta_expressions import read_videos
from vlseg_cli.schema import ClipQuery, ClipSample, Expression, InputError, Task

SPLITS = ("train", "valid", "test")


class RefYouTubeVOS:
    """One split; a query is one expression, its key the expression's own.

    'valid' leaves out the videos of 'test', which its file lists as well. Raises NoInputError if a
    file is missing, InputError if it is no such file.
    """

    def __init__(self, root: Path, split: str = "valid") -> None:
        self._root, self._split = root, split
        self._path = _meta(root, split)
        videos = read_videos(self._path)
        if split == "valid" and _meta(root, "test").is_file():
            tested = read_videos(_meta(root, "test"))
            videos = {video: entry for video, entry in videos.items() if video not in tested}
        self._videos = list(videos.items())

    def __len__(self) -> int:
        return len(self._videos)

    def source(self, number: int) -> str:
        """The folder of a video."""
        return str(self._root / self._split / "JPEGImages" / self._videos[number][0])

    def __getitem__(self, number: int) -> ClipSample:
        """Open a video. Raises InputError if its entry lacks something."""
        video, entry = self._videos[number]
        frames = existing_folder(Path(self.source(number)))
        annotations = self._root / self._split / "Annotations" / video
        try:
            clip = FrameFolder(frames, entry["frames"], annotations)
            queries = [
                _query(clip, key, expression) for key, expression in entry["expressions"].items()
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{self._path}: {video} lacks {error}; fetch it again.") from error
        return ClipSample(video, clip.names, clip.read, tuple(queries))


def _query(clip: FrameFolder, key: str, expression: dict[str, Any]) -> ClipQuery:
    """Only training says which object is meant."""
    objects = (int(expression["obj_id"]),) if "obj_id" in expression else ()
    masks = partial(clip.masks, objects=objects) if objects else hidden
    labels = np.zeros(len(objects), np.int64)
    return ClipQuery(Task.RVOS, Expression(expression["exp"]), objects, labels, masks, key=key)


def _meta(root: Path, split: str) -> Path:
    return root / "meta_expressions" / split / "meta_expressions.json"
