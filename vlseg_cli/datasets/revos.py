"""ReVOS (Yan et al. 2024, VISA): expressions and questions about videos.

``meta_expressions_SPLIT_.json``, ``mask_dict.json`` and ``JPEGImages/SOURCE/VIDEO/00000.jpg``;
HyperSeg keeps the sources without ``JPEGImages`` around them. Some expressions mean nothing.
"""

from pathlib import Path

from vlseg_cli.datasets.dataset import existing_folder
from vlseg_cli.datasets.mask_dict import MaskDict
from vlseg_cli.datasets.meta_expressions import expression_clip, read_videos
from vlseg_cli.schema import ClipSample

SPLITS = ("train", "valid")


class ReVOS:
    """One split; a query is one expression, its key the expression's own.

    A query's kind is 'referring', 'reasoning' or 'absent', which enters no score. Raises
    NoInputError if a folder or file is missing, InputError if one is damaged.
    """

    def __init__(self, root: Path, split: str = "valid") -> None:
        self._frames = existing_folder(root / "JPEGImages", root)
        self._path = root / f"meta_expressions_{split}_.json"
        self._videos = list(read_videos(self._path).items())
        self._masks = MaskDict(root / "mask_dict.json")

    def __len__(self) -> int:
        return len(self._videos)

    def source(self, number: int) -> str:
        """The folder of a video."""
        return str(self._frames / self._videos[number][0])

    def __getitem__(self, number: int) -> ClipSample:
        """Open a video. Raises InputError if its entry lacks something."""
        video, entry = self._videos[number]
        return expression_clip(self._path, video, entry, self._frames / video, self._masks)
