"""Which frames of a video are wanted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clip:
    """Every ``stride``-th frame between two times, at most ``max_frames`` of them.

    start, end: seconds since the first frame; a frame at exactly ``end`` is left out. An image is
    one frame at time 0 and ignores all of this.
    """

    stride: int = 1
    start: float | None = None
    end: float | None = None
    max_frames: int | None = None
