"""ReVOS (Yan et al. 2024, VISA): expressions and questions about videos.

``meta_expressions_SPLIT_.json``, ``mask_dict.json`` and ``JPEGImages/SOURCE/VIDEO/00000.jpg``;
in HyperSeg's layout without ``JPEGImages``. Some expressions have no target.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from vlseg_cli.datasets.base import existing_folder
from vlseg_cli.datasets.meta_expressions import KINDS, MaskDict, expression_clip, read_videos
from vlseg_cli.schema import ClipSample

SPLITS = ("train", "valid")


class ReVOSDataset:
    """One split; a query is one expression, its key the expression's id.

    A query's kind is 'referring', 'reasoning' or 'absent' (not scored). kinds: restricts the
    expressions, and the videos to those that have some. Raises NoInputError if a folder or file
    is missing, InputError if one is damaged.
    """

    def __init__(self, root: Path, split: str = "valid", kinds: Collection[str] = KINDS) -> None:
        self._frames = existing_folder(root / "JPEGImages", root)
        self._path = root / f"meta_expressions_{split}_.json"
        self._videos = [
            (video, entry)
            for video, entry in read_videos(self._path).items()
            if not _kinds(entry).isdisjoint(kinds)
        ]
        self._masks = MaskDict(root / "mask_dict.json")
        self._kinds = kinds

    def __len__(self) -> int:
        return len(self._videos)

    def source(self, number: int) -> str:
        """The folder of a video."""
        return str(self._frames / self._videos[number][0])

    def __getitem__(self, number: int) -> ClipSample:
        """Open a video. Raises InputError if its record is incomplete."""
        video, entry = self._videos[number]
        clip = expression_clip(self._path, video, entry, self._frames / video, self._masks)
        return replace(clip, queries=tuple(q for q in clip.queries if q.kind in self._kinds))


def _kinds(entry: dict[str, Any]) -> set[str]:
    """Kinds of a video's expressions; all for a damaged record, which raises when it is read."""
    try:
        return {KINDS[one["type_id"]] for one in entry["expressions"].values()}
    except (KeyError, TypeError, IndexError, AttributeError):
        return set(KINDS)
