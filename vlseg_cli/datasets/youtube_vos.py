"""YouTube-VOS (Xu et al. 2018): objects given by a mask where each first appears, to be followed.

``SPLIT/JPEGImages/VIDEO/00000.jpg``, ``SPLIT/Annotations/VIDEO/00000.png`` and ``SPLIT/meta.json``.
The validation split has masks of first appearances alone: its answers are scored by a server.
"""

import json
from collections import defaultdict
from pathlib import Path

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.frame_folders import FrameFolder, follow, frame_names
from vlseg_cli.schema import ClipSample, InputError

SPLITS = ("train", "valid", "test")


class YouTubeVOS:
    """One split; a clip has a query for each frame in which objects first appear.

    Raises NoInputError if a folder or file is missing, InputError if meta.json is no such file.
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
        queries = (follow(clip, first, tuple(new)) for first, new in sorted(appearing.items()))
        return ClipSample(video, clip.names, clip.read, tuple(queries))
