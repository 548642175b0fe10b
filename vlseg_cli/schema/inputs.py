"""What goes into a job: its files, and the frames decoded from them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Input:
    """A file to process, as it is now.

    source: the path as the user wrote it. bytes, modified: size, and time of the last change in ns
    since 1970; -1 and 0 for a file that a list names but that does not exist.
    """

    source: str
    is_video: bool
    bytes: int
    modified: int


@dataclass(frozen=True, slots=True)
class Item:
    """An image or a video of a job.

    number: in the job, from 0; it never changes. name: safe file name without extension, unique
    in the job. The rest as in Input, when the inputs were listed.
    """

    number: int
    source: str
    name: str
    is_video: bool
    bytes: int
    modified: int


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image or one frame of a video.

    pixels: (H, W, 3) uint8 RGB, EXIF orientation or video rotation already applied.
    source: the path (or name), as the user wrote it.
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

    start, end: seconds since the first frame; a frame at exactly ``end`` is excluded. An image is
    one frame at time 0, whatever the range.
    """

    stride: int = 1
    start: float | None = None
    end: float | None = None
    max_frames: int | None = None
