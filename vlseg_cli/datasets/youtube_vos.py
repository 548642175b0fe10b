"""YouTube-VOS (Xu et al. 2018) and Ref-YouTube-VOS (Seo et al. 2020): masks or texts.

``SPLIT/JPEGImages/VIDEO/00000.jpg``, ``SPLIT/Annotations/VIDEO/00000.png`` and ``SPLIT/meta.json``;
Ref-YouTube-VOS has ``meta_expressions/SPLIT/meta_expressions.json`` instead. The validation splits
have masks of first appearances alone, or none: predictions are scored by a server.
"""

import json
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.frame_folders import FrameFolder, frame_names, tracking_query, unannotated
from vlseg_cli.datasets.meta_expressions import read_videos
from vlseg_cli.schema import ClipQuery, ClipSample, Expression, InputError, Task

SPLITS = ("train", "valid", "test")


class YouTubeVOSDataset:
    """One split; a clip has a query for each frame in which objects first appear.

    Raises NoInputError if a folder or file is missing, InputError if meta.json is damaged.
    """

    def __init__(self, root: Path, split: str = "valid") -> None:
        self._folder = existing_folder(root / split)
        self._meta = self._folder / "meta.json"
        try:
            self._videos = [
                (video, {int(one): entry["frames"][0] for one, entry in record["objects"].items()})
                for video, record in parsed(self._meta, json.loads)["videos"].items()
            ]
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise InputError(f"{self._meta} lacks {error}: it is not YouTube-VOS's.") from error

    def __len__(self) -> int:
        return len(self._videos)

    def source(self, number: int) -> str:
        """The folder of a video."""
        return str(self._folder / "JPEGImages" / self._videos[number][0])

    def __getitem__(self, number: int) -> ClipSample:
        """Open a video. Raises InputError if an object's first mask is missing or damaged."""
        video, objects = self._videos[number]
        frames = existing_folder(Path(self.source(number)))
        names = frame_names(frames)
        clip = FrameFolder(frames, names, self._folder / "Annotations" / video)
        appearing: dict[int, list[int]] = defaultdict(list)
        for one, name in objects.items():
            if name not in names:
                raise InputError(f"{frames} lacks {name}.jpg, where object {one} first appears.")
            appearing[names.index(name)].append(one)
        queries = (
            tracking_query(clip, first, tuple(new)) for first, new in sorted(appearing.items())
        )
        return ClipSample(video, clip.names, clip.read, tuple(queries))


class RefYouTubeVOSDataset:
    """One split; a query is one expression, its key the expression's id.

    'valid' leaves out the videos of 'test', which its file lists too. Raises NoInputError if a
    file is missing, InputError if it is damaged.
    """

    def __init__(self, root: Path, split: str = "valid") -> None:
        self._root, self._split = root, split
        self._path = _meta(root, split)
        videos = read_videos(self._path)
        if split == "valid" and _meta(root, "test").is_file():
            test_videos = read_videos(_meta(root, "test"))
            videos = {video: entry for video, entry in videos.items() if video not in test_videos}
        self._videos = list(videos.items())

    def __len__(self) -> int:
        return len(self._videos)

    def source(self, number: int) -> str:
        """The folder of a video."""
        return str(self._root / self._split / "JPEGImages" / self._videos[number][0])

    def __getitem__(self, number: int) -> ClipSample:
        """Open a video. Raises InputError if its record is incomplete."""
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
    """Only 'train' has the target object."""
    objects = (int(expression["obj_id"]),) if "obj_id" in expression else ()
    masks = partial(clip.masks, objects=objects) if objects else unannotated
    labels = np.zeros(len(objects), np.int64)
    return ClipQuery(Task.RVOS, Expression(expression["exp"]), objects, labels, masks, key=key)


def _meta(root: Path, split: str) -> Path:
    return root / "meta_expressions" / split / "meta_expressions.json"
