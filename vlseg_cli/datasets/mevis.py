"""MeViS (Ding et al. 2023): expressions about motion, with one or several targets.

``SPLIT/meta_expressions.json``, ``SPLIT/mask_dict.json`` and ``SPLIT/JPEGImages/VIDEO/00000.jpg``.
'valid' has no masks: predictions are scored by a server.
"""

from pathlib import Path

from vlseg_cli.datasets.base import existing_folder
from vlseg_cli.datasets.meta_expressions import MaskDict, expression_clip, read_videos
from vlseg_cli.schema import ClipSample

SPLITS = ("train", "valid_u", "valid")


class MeViSDataset:
    """One split; a query is one expression, its key the expression's id.

    Raises NoInputError if a folder or file is missing, InputError if one is damaged.
    """

    def __init__(self, root: Path, split: str = "valid_u") -> None:
        folder = existing_folder(root / split)
        self._frames = existing_folder(folder / "JPEGImages")
        self._path = folder / "meta_expressions.json"
        self._videos = list(read_videos(self._path).items())
        masks = folder / "mask_dict.json"
        self._masks = MaskDict(masks) if split != "valid" or masks.is_file() else None

    def __len__(self) -> int:
        return len(self._videos)

    def source(self, number: int) -> str:
        """The folder of a video."""
        return str(self._frames / self._videos[number][0])

    def __getitem__(self, number: int) -> ClipSample:
        """Open a video. Raises InputError if its record is incomplete."""
        video, entry = self._videos[number]
        return expression_clip(self._path, video, entry, self._frames / video, self._masks)
