"""Ego-Exo4D correspondence (Grauman et al. 2024): segment objects of one camera in another's view.

The benchmark's processed form: ``TAKE/annotation.json`` (``masks`` by object, camera and frame) and
``TAKE/CAMERA/FRAME.jpg``; the head-mounted camera has 'aria' in its name. A pair of views is a clip
of two frames: objects are given by their masks in the first, to be segmented in the second.
"""

import json
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.polygons import true_mask
from vlseg_cli.media.image import probe_image, read_image
from vlseg_cli.schema import (
    ClipQuery,
    ClipSample,
    Frame,
    InputError,
    NoInputError,
    Region,
    Regions,
    Task,
)

_EGO = "aria"

View = tuple[str, str, str, str]  # take, camera of the prompt, camera of the target, frame
Masks = dict[str, dict[str, dict[str, Any]]]  # runs by object, camera and frame


class EgoExoDataset:
    """The takes of one split's folder; query: the camera whose masks are given.

    Only objects visible in both views count. Raises NoInputError if there are none, InputError if
    a file is damaged.
    """

    def __init__(self, root: Path, query: Literal["ego", "exo"] = "ego") -> None:
        self._root = existing_folder(root)
        self._masks = lru_cache(1)(self._read_masks)
        takes = sorted(path.parent.name for path in self._root.glob("*/annotation.json"))
        self._views = [view for take in takes for view in _views(take, self._masks(take), query)]
        if not self._views:
            raise NoInputError(
                f"{root} has no TAKE/annotation.json with masks of one object in two cameras."
            )

    def __len__(self) -> int:
        return len(self._views)

    def source(self, number: int) -> str:
        """The image in which the objects are to be segmented."""
        take, _, target, frame = self._views[number]
        return str(self._root / take / target / f"{frame}.jpg")

    def __getitem__(self, number: int) -> ClipSample:
        """Open a pair of views. Raises InputError if a mask differs in size from its image."""
        take, given, target, frame = self._views[number]
        masks = self._masks(take)
        shared = [one for one, cameras in masks.items() if _visible(cameras, given, target, frame)]
        images = tuple(self._root / take / camera / f"{frame}.jpg" for camera in (given, target))
        shapes = [(height, width) for _, width, height in map(probe_image, images)]
        file = self._root / take / "annotation.json"
        regions, truth = (
            [true_mask(masks[one][camera][frame], *shape, "union", file) for one in shared]
            for camera, shape in zip((given, target), shapes, strict=True)
        )
        query = ClipQuery(
            Task.VOS,
            Regions(tuple(Region("mask", mask) for mask in regions)),
            tuple(range(1, len(shared) + 1)),
            np.arange(len(shared)),
            partial(_second_masks, np.stack(truth)),
            key=f"{given}_{target}",
        )
        read = partial(_read, images)
        return ClipSample(f"{take}/{frame}", (frame, frame), read, (query,))

    def _read_masks(self, take: str) -> Masks:
        path = self._root / take / "annotation.json"
        data = parsed(path, json.loads)
        if not isinstance(data, dict) or not isinstance(data.get("masks"), dict):
            raise InputError(f"{path} has no 'masks': it is not a processed take of Ego-Exo4D.")
        masks: Masks = data["masks"]
        return masks


def _views(take: str, masks: Masks, query: str) -> list[View]:
    """Every pair of views that share an object."""
    found = {
        (take, given, target, frame)
        for cameras in masks.values()
        for given, frames in cameras.items()
        for target, others in cameras.items()
        if (_EGO in given) != (_EGO in target) and (_EGO in given) == (query == "ego")
        for frame in frames
        if frame in others
    }
    return sorted(found)


def _visible(cameras: dict[str, dict[str, Any]], given: str, target: str, frame: str) -> bool:
    return frame in cameras.get(given, ()) and frame in cameras.get(target, ())


def _second_masks(masks: NDArray[np.bool_], number: int) -> NDArray[np.bool_] | None:
    """(N, H, W) of the second view; None for the first, which is not evaluated."""
    return masks if number == 1 else None


def _read(images: tuple[Path, ...], number: int) -> Frame:
    return replace(read_image(images[number]), index=number)
