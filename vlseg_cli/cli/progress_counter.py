"""How far a run is, in numbers and in one line of words; every kind of progress shows this."""

import time
from collections.abc import Callable

_UNITS = (("day", 86_400), ("h", 3600), ("min", 60), ("s", 1))


class ProgressCounter:
    """Counts of inputs (``noun``) and of frames, which an image has one of, and the time it took.

    done: inputs of this run and of earlier ones, failed ones too. The rate is that of this run.
    """

    def __init__(
        self, noun: str, total: int, done: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin to count. clock: tells the time in s."""
        self.noun, self.total, self.before, self.done = noun, total, done, done
        self.failed = self.frames = 0
        self._clock, self._start = clock, clock()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return self._clock() - self._start

    @property
    def seconds_left(self) -> float | None:
        """As far as the inputs of this run tell; None before the first of them."""
        now = self.done - self.before
        return self.seconds / now * (self.total - self.done) if now else None

    @property
    def has_video(self) -> bool:
        """Whether frames say more than inputs do."""
        return self.frames > self.done - self.before + 1

    def words(self) -> str:
        """'1,200 of 10,000 inputs, 35.2/s, 4 min left, 3 failed'."""
        count, unit = self.done - self.before, ""
        parts = [f"{self.done:,} of {self.total:,} {self.noun}"]
        if self.has_video:
            count, unit = self.frames, " frames"
            parts.append(f"{self.frames:,} frames")
        if count and self.seconds:
            parts.append(_rate(count / self.seconds, unit))
        if self.seconds_left:
            parts.append(f"{duration(self.seconds_left)} left")
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """A time in its two largest units: '45 s', '4 min 5 s', '2 h', '3 days 4 h'."""
    left, parts = round(seconds), []
    for name, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}{'s' if name == 'day' and count > 1 else ''}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def _rate(per_second: float, unit: str) -> str:
    """'35.2/s', '31.0 frames/s', or by the minute or the hour where that is readable."""
    for size, name in ((1, "s"), (60, "min")):
        if per_second * size >= 1:
            return f"{per_second * size:,.1f}{unit}/{name}"
    return f"{per_second * 3600:,.1f}{unit}/h"
