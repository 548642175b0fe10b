"""YouTube-VOS (Xu et al. 2018): objects in videos, given by their masks at first appearance.

``SPLIT/JPEGImages/VIDEO/00000.jpg``, ``SPLIT/Annotations/VIDEO/00000.png`` and ``SPLIT/meta.json``.
The validation splits have masks of first appearances alone: predictions are scored by a server.
"""

import json
from collections import defaultdict
from pathlib import Path

from vlseg_cli.datasets.base import VideoFolders, existing_folder, parsed
from vlseg_cli.datasets.frame_folders import FrameFolder, frame_names, tracking_query
from vlseg_cli.schema import ClipSample, InputError


class YouTubeVOSDataset(VideoFolders):
    """One split; a clip has a query for each frame in which objects first appear.

    Raises NoInputError if a folder or file is missing, InputError if meta.json is damaged.
    """

    def __init__(self, root: Path, split: str = "valid") -> None:
        folder = existing_folder(root / split)
        meta = folder / "meta.json"
        try:
            records = parsed(meta, json.loads)["videos"]
            self._first_frames = [
                {int(one): entry["frames"][0] for one, entry in record["objects"].items()}
                for record in records.values()
            ]
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise InputError(f"{meta} lacks {error}: it is not YouTube-VOS's.") from error
        super().__init__(folder / "JPEGImages", list(records))
        self._annotations = folder / "Annotations"

    def __getitem__(self, number: int) -> ClipSample:
        """Open a video. Raises InputError if an object's first mask is missing or damaged."""
        video = self.videos[number]
        frames = existing_folder(self.frames / video)
        names = frame_names(frames)
        clip = FrameFolder(frames, names, self._annotations / video)
        appearing: dict[int, list[int]] = defaultdict(list)
        for one, name in self._first_frames[number].items():
            if name not in names:
                raise InputError(f"{frames} lacks {name}.jpg, where object {one} first appears.")
            appearing[names.index(name)].append(one)
        queries = (
            tracking_query(clip, first, tuple(new)) for first, new in sorted(appearing.items())
        )
        return ClipSample(video, clip.names, clip.read, tuple(queries))
