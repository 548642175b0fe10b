"""DAVIS's layout: a video is a folder of JPEG frames, its annotation a folder of palette PNGs.

A pixel's value is its object's number; 0 is background, 255 is void.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.media.image import open_image, probe_image, read_image
from vlseg_cli.schema import ClipQuery, Frame, InputError, NoInputError, Region, Regions, Task

VOID = 255


class FrameFolder:
    """``frames/NAME.jpg`` and ``annotations/NAME.png``; frames without a PNG are unannotated."""

    def __init__(self, frames: Path, names: Sequence[str], annotations: Path | None = None) -> None:
        self.names = tuple(names)
        self.folder = frames
        self._annotations = annotations
        self._ids = lru_cache(maxsize=1)(self._read_ids)  # shared by a frame's queries

    def read(self, number: int) -> Frame:
        """Frame ``number``. Raises InputError if its file is missing or damaged."""
        return replace(read_image(self._frame_path(number)), index=number)

    def size(self, number: int) -> tuple[int, int]:
        """H, W of a frame, px, from its file's header."""
        _, width, height = probe_image(self._frame_path(number))
        return height, width

    def objects(self, number: int) -> tuple[int, ...]:
        """Numbers of the objects visible in an annotated frame, ascending."""
        ids = self._ids(number)
        numbers = [] if ids is None else np.unique(ids).tolist()
        return tuple(one for one in numbers if one not in (0, VOID))

    def masks(self, number: int, objects: Sequence[int]) -> NDArray[np.bool_] | None:
        """(N, H, W) of the objects in a frame, None if it is not annotated.

        Raises InputError if the annotation is damaged or differs in size from the frame.
        """
        ids = self._ids(number)
        return None if ids is None else ids == np.array(objects, int)[:, None, None]

    def void(self, number: int) -> NDArray[np.bool_] | None:
        """Pixels (H, W) excluded from evaluation, None if the frame is not annotated."""
        ids = self._ids(number)
        return None if ids is None else ids == VOID

    def _frame_path(self, number: int) -> Path:
        return self.folder / f"{self.names[number]}.jpg"

    def _read_ids(self, number: int) -> NDArray[np.uint8] | None:
        if self._annotations is None:
            return None
        path = self._annotations / f"{self.names[number]}.png"
        if not path.is_file():
            return None
        image = open_image(path)
        if image.mode not in ("P", "L"):
            raise InputError(
                f"{path} is not a palette image but of mode {image.mode}: fetch it again."
            )
        height, width = self.size(number)
        if image.size != (width, height):
            raise InputError(
                f"{path} is {image.width} x {image.height} px, but its frame is {width} x {height}:"
                " it belongs to another video."
            )
        return np.asarray(image, np.uint8)


def unannotated(_: int) -> None:
    """The masks of a frame whose annotation is not public."""


def frame_names(folder: Path) -> list[str]:
    """Names of a folder's frames, in order. Raises NoInputError if there are none."""
    names = sorted(path.stem for path in folder.glob("*.jpg"))
    if not names:
        raise NoInputError(f"{folder} has no *.jpg: the data set is incomplete.")
    return names


def tracking_query(clip: FrameFolder, first: int, objects: tuple[int, ...]) -> ClipQuery:
    """Semi-supervised tracking: objects are given by their masks in frame ``first``.

    Raises InputError if that frame is not annotated.
    """
    masks = clip.masks(first, objects)
    if masks is None:
        raise InputError(
            f"Frame {clip.names[first]} of {clip.folder} has no annotation, but its objects are"
            " given there: fetch the data set again."
        )
    return ClipQuery(
        Task.VOS,
        Regions(tuple(Region("mask", mask) for mask in masks)),
        objects,
        np.arange(len(objects)),
        partial(clip.masks, objects=objects),
        first=first,
    )
