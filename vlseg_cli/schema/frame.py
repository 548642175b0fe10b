"""A picture as the models get it: upright RGB pixels and where they came from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image or one frame of a video.

    pixels: (H, W, 3) uint8 RGB, EXIF orientation or video rotation already applied.
    source: the path (or name) it came from, as the user wrote it.
    index: frame number within the source, 0 for an image.
    time: seconds from the start of the video, None for an image.
    """

    pixels: NDArray[np.uint8]
    source: str
    index: int = 0
    time: float | None = None

    @property
    def height(self) -> int:
        """H in pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """W in pixels."""
        return int(self.pixels.shape[1])


@dataclass(frozen=True, slots=True)
class FrameRange:
    """Every ``stride``-th frame between two times, at most ``max_frames`` of them.

    start, end: seconds since the first frame; a frame at exactly ``end`` is left out. An image is
    one frame at time 0 and ignores all of this.
    """

    stride: int = 1
    start: float | None = None
    end: float | None = None
    max_frames: int | None = None
