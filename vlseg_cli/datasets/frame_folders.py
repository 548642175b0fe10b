"""A video as a folder of pictures, its truth as a folder of palette PNGs: the layout of DAVIS.

The value of a pixel is the number of its object, 0 is background and 255 is void.
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
    """``frames/NAME.jpg`` and ``annotations/NAME.png``; frames without the latter have no truth."""

    def __init__(self, frames: Path, names: Sequence[str], annotations: Path | None = None) -> None:
        self.names = tuple(names)
        self.folder = frames
        self._annotations = annotations
        self._ids = lru_cache(maxsize=1)(self._read_ids)  # a frame's queries share one look

    def read(self, number: int) -> Frame:
        """Frame ``number``. Raises InputError if its file is missing or damaged."""
        return replace(read_image(self._picture(number)), index=number)

    def size(self, number: int) -> tuple[int, int]:
        """H, W of a frame in px, from the header of its file."""
        _, width, height = probe_image(self._picture(number))
        return height, width

    def objects(self, number: int) -> tuple[int, ...]:
        """Numbers of the objects to be seen in an annotated frame, ascending."""
        ids = self._ids(number)
        return (
            () if ids is None else tuple(int(one) for one in np.unique(ids) if one not in (0, VOID))
        )

    def masks(self, number: int, objects: Sequence[int]) -> NDArray[np.bool_] | None:
        """(M, H, W) of the objects in a frame, None if it is not annotated.

        Raises InputError if the annotation is damaged or of another size than the frame.
        """
        ids = self._ids(number)
        return None if ids is None else ids == np.array(objects, int)[:, None, None]

    def void(self, number: int) -> NDArray[np.bool_] | None:
        """(H, W): pixels that count neither way; None if the frame is not annotated."""
        ids = self._ids(number)
        return None if ids is None else ids == VOID

    def _picture(self, number: int) -> Path:
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
                f"{path} is no picture of object numbers but of mode {image.mode}: fetch it again."
            )
        height, width = self.size(number)
        if image.size != (width, height):
            raise InputError(
                f"{path} is {image.width} x {image.height} px, but its frame is {width} x {height}:"
                " it belongs to another video."
            )
        return np.asarray(image, np.uint8)


def hidden(_: int) -> None:
    """The truth of a frame that only a server knows."""


def frame_names(folder: Path) -> list[str]:
    """What the frames of a folder are called, in order. Raises NoInputError if there are none."""
    names = sorted(path.stem for path in folder.glob("*.jpg"))
    if not names:
        raise NoInputError(f"{folder} has no *.jpg: the data set is incomplete.")
    return names


def follow(clip: FrameFolder, first: int, objects: tuple[int, ...]) -> ClipQuery:
    """Semi-supervised: objects are given by their masks in frame ``first``, to be followed.

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
