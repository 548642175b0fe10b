"""When the frames of a video are shown, in the ticks of the file they came from.

A Frame tells seconds since the first one; a copy with the same times needs the source's own time
base and the time of that first frame.
"""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from vlseg_cli.media.probe import probe

_USUAL_RATE = Fraction(25)


class Clock(NamedTuple):
    """first: ticks of the first frame. time_base: s per tick. rate: frames per s, roughly.

    height, width: of the first frame, upright, px.
    """

    first: int
    time_base: Fraction
    rate: Fraction
    height: int
    width: int

    def ticks(self, time: float) -> int:
        """The tick nearest to a time in s since the first frame; exact for times of frames."""
        return self.first + round(time / self.time_base)


def read_clock(source: str) -> Clock:
    """The clock of a video. Raises InputError if it cannot be opened any more."""
    seen = probe(Path(source))
    rate = seen.fps or _USUAL_RATE
    time_base = seen.time_base or 1 / rate
    return Clock(seen.first_pts or 0, time_base, rate, seen.height, seen.width)
