"""YouTube-VIS 2019 (Yang et al. 2019): instances of 40 categories, tracked through videos.

``SPLIT.json`` (``videos``, ``annotations`` with a segmentation per frame, ``categories``) and
``SPLIT/JPEGImages/VIDEO/00000.jpg``. Only 'train' has annotations: predictions for 'valid' and
'test' are scored by a server.
"""

import json
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.frame_folders import FrameFolder, unannotated
from vlseg_cli.datasets.polygons import true_mask
from vlseg_cli.schema import Categories, ClipQuery, ClipSample, InputError, Task, checked_rle


class YouTubeVISDataset:
    """One split; a clip has one query for all categories, its key is the video's id.

    Raises NoInputError if a file is missing, InputError if it is damaged.
    """

    def __init__(self, root: Path, split: str = "valid") -> None:
        self._path = root / f"{split}.json"
        self._frames = existing_folder(root / split / "JPEGImages")
        data = parsed(self._path, _load)
        try:
            self._videos: list[dict[str, Any]] = list(data["videos"])
            self.category_ids: tuple[int, ...] = tuple(one["id"] for one in data["categories"])
            self._names = tuple(one["name"] for one in data["categories"])
            self._is_annotated = data["annotations"] is not None
            self._tracks: dict[int, list[dict[str, Any]]] = defaultdict(list)
            for track in data["annotations"] or ():
                self._tracks[track["video_id"]].append(track)
        except (KeyError, TypeError) as error:
            raise InputError(f"{self._path} lacks {error}: it is not YouTube-VIS's.") from error

    def __len__(self) -> int:
        return len(self._videos)

    def source(self, number: int) -> str:
        """The folder of a video. Raises InputError if its record lacks file names."""
        return str(self._frames / self._name(self._videos[number]))

    def __getitem__(self, number: int) -> ClipSample:
        """Open a video. Raises InputError if its record is incomplete."""
        video = self._videos[number]
        try:
            names = [name.removesuffix(".jpg") for name in video["file_names"]]
            tracks = self._tracks[video["id"]]
            objects = tuple(track["id"] for track in tracks)
            labels = np.array([self.category_ids.index(t["category_id"]) for t in tracks], np.int64)
            shape = (video["height"], video["width"])
            clip = FrameFolder(self._frames, names)
            query = ClipQuery(
                Task.VIS,
                Categories(self._names, (False,) * len(self._names)),
                objects,
                labels,
                partial(_masks, tracks, clip, shape, self._path)
                if self._is_annotated
                else unannotated,
                key=str(video["id"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{self._path}: video {number} lacks {error}; fetch it again."
            ) from error
        return ClipSample(
            self._name(video),
            tuple(name.rpartition("/")[2] for name in names),
            clip.read,
            (query,),
        )

    def _name(self, video: dict[str, Any]) -> str:
        """The folder of the video's frames."""
        try:
            return str(Path(video["file_names"][0]).parent)
        except (KeyError, TypeError, IndexError) as error:
            raise InputError(f"{self._path}: a video lacks {error}; fetch it again.") from error


def _masks(
    tracks: list[dict[str, Any]],
    clip: FrameFolder,
    shape: tuple[int, int],
    file: Path,
    frame: int,
) -> NDArray[np.bool_]:
    """(N, H, W) of the tracks in a frame, empty where one is absent."""
    if clip.size(frame) != shape:
        raise InputError(f"{file}: the video {clip.folder} has frames of another size.")
    stacked = np.zeros((len(tracks), *shape), bool)
    for row, track in zip(stacked, tracks, strict=True):
        segmentation = track["segmentations"][frame]
        if segmentation is not None:
            row |= true_mask(segmentation, *shape, "union", file)
    return stacked


def _load(data: bytes) -> Any:
    """Parse, with uncompressed runs compressed at once to save memory."""
    return json.loads(data, object_hook=_compressed)


def _compressed(record: dict[str, Any]) -> dict[str, Any]:
    return dict(checked_rle(record)) if isinstance(record.get("counts"), list) else record
