"""A folder of mask files as proposer, found by the image's file name.

``FOLDER/kitchen/*.png`` proposes for kitchen.jpg, as SAM's ``amg.py`` writes it; so does
``FOLDER/kitchen.json``, its list of run-length masks.
"""

from pathlib import Path
from typing import Any

from vlseg_cli.media import read_mask
from vlseg_cli.models.proposals.base import Proposals, proposals_of
from vlseg_cli.schema import Frame, InputError, bounds_rle, checked_rle
from vlseg_cli.schema.files import read_json, reason_of


class MaskFolder:
    """See ``Proposer``. The key changes with the files, so that cached proposals expire."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.key = f"folder {folder.resolve()} {_state(folder)}"

    def propose(self, frame: Frame) -> Proposals:
        """The masks filed under the image's name. Raises InputError if there are none."""
        name = Path(frame.source).stem
        if frame.time is not None:
            raise InputError(f"{frame.source} is a video: {self._folder} has masks of images.")
        if (file := self._folder / f"{name}.json").exists():
            return _read_json(file, frame)
        files = sorted((self._folder / name).glob("*.png"))
        if not files:
            raise InputError(
                f"{self._folder} has no masks for {frame.source}: put them into {name}/*.png or"
                f" {name}.json there."
            )
        masks = [read_mask(file, frame.height, frame.width) for file in files]
        return proposals_of(masks, [1.0] * len(masks), frame.height, frame.width)


def _read_json(file: Path, frame: Frame) -> Proposals:
    try:
        entries: list[dict[str, Any]] = read_json(file)
        masks = [checked_rle(entry["segmentation"]) for entry in entries]
        scores = [float(entry.get("predicted_iou", 1.0)) for entry in entries]
    except OSError as error:
        raise InputError(f"{file} cannot be read ({reason_of(error)}).") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{file} is not a list of run-length masks as written by SAM's amg.py."
        ) from error
    height, width = masks[0]["size"] if masks else (frame.height, frame.width)
    if height > frame.height or width > frame.width:
        raise InputError(f"{file} holds masks larger than {frame.source}: they are not of it.")
    if any(mask["size"] != [height, width] for mask in masks):
        raise InputError(f"{file} holds masks of different sizes: all must have the same.")
    kept = [(m, s) for m, s in zip(masks, scores, strict=True) if bounds_rle(m)[2]]
    return Proposals(height, width, tuple(m for m, _ in kept), tuple(s for _, s in kept))


def _state(folder: Path) -> str:
    """Number of mask files and the latest modification time."""
    files = [path for path in folder.rglob("*") if path.suffix in (".png", ".json")]
    return f"{len(files)} {max((path.stat().st_mtime_ns for path in files), default=0)}"
