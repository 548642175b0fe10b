"""Progress of a run on stderr: a bar on a terminal, lines in a log, JSON for programs.

All three share the counts and differ in how they show a change. Called from one thread at a time.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

from rich.progress import BarColumn, ProgressColumn, Task
from rich.progress import Progress as RichProgress
from rich.table import Column
from rich.text import Text

from vlseg_cli.cli.console import Console
from vlseg_cli.cli.values import printable
from vlseg_cli.jobs import JobProgress
from vlseg_cli.schema import Record

_LINE_EVERY, _JSON_EVERY = 30.0, 1.0  # s
_UNITS = (("day", 86_400), ("h", 3600), ("min", 60), ("s", 1))


class ProgressCounter:
    """Counts of inputs (``noun``) and frames (an image is one frame), and the time since the start.

    done: inputs of this run and of earlier ones, with failed ones. The rate is that of this run.
    """

    def __init__(
        self, noun: str, total: int, done: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start. clock: returns the time in s."""
        self.noun, self.total, self.before, self.done = noun, total, done, done
        self.failed = self.frames = 0
        self._clock, self._start = clock, clock()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return self._clock() - self._start

    @property
    def seconds_left(self) -> float | None:
        """Extrapolated from the inputs of this run; None before the first of them."""
        now = self.done - self.before
        return self.seconds / now * (self.total - self.done) if now else None

    @property
    def has_video(self) -> bool:
        """Whether there are clearly more frames than inputs."""
        return self.frames > self.done - self.before + 1

    def text(self) -> str:
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


class ProgressDisplay(JobProgress):
    """Counts, and prints errors alone, as for ``--quiet``; the base of the others."""

    def __init__(
        self,
        console: Console,
        noun: str = "inputs",
        show: Callable[[Record], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """noun: what is counted, in the plural. show: called with each record. clock: returns s."""
        self.console, self.noun, self.show, self.clock = console, noun, show, clock
        self.counter = ProgressCounter(noun, 0, 0, clock)
        self.source = ""  # of the latest input

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._on_end()

    def start(self, total: int, done: int = 0) -> None:
        """See ``jobs.JobProgress``."""
        self.counter = ProgressCounter(self.noun, total, done, self.clock)
        self._on_start()

    def frames(self, count: int) -> None:
        """See ``jobs.JobProgress``."""
        self.counter.frames += count
        self._on_change()

    def item(self, source: str, error: str | None = None) -> None:
        """See ``jobs.JobProgress``."""
        self.source = source
        self.counter.done += 1
        if error is not None:
            self.counter.failed += 1
            self._on_failure(source, error)
        self._on_change()

    def records(self, records: Sequence[Record]) -> None:
        """See ``jobs.JobProgress``."""
        if self.show is not None:
            for record in records:
                self.show(record)

    def note(self, text: str) -> None:
        """See ``jobs.JobProgress``."""
        self.console.note(text)

    def _on_start(self) -> None: ...

    def _on_change(self) -> None: ...

    def _on_end(self) -> None: ...

    def _on_failure(self, source: str, error: str) -> None:
        self.console.error(error if source in error else f"{source}: {error}")

    def _note_end(self) -> None:
        """The last line, unless there was only a single image to do."""
        counter = self.counter
        if counter.done > counter.before and (counter.total > 1 or counter.has_video):
            self.console.note(f"{counter.text()}, in {duration(counter.seconds)}")


class LineProgress(ProgressDisplay):
    """A line about every 30 s, and one at the end."""

    _shown_at = 0.0

    def _on_change(self) -> None:
        if self.counter.seconds - self._shown_at >= _LINE_EVERY:
            self._shown_at = self.counter.seconds
            self.console.note(self.counter.text())

    def _on_end(self) -> None:
        self._note_end()


class BarProgress(ProgressDisplay):
    """A bar during the run and a line at the end; no bar for a single image."""

    _bar: RichProgress | None = None

    def _on_start(self) -> None:
        if self.counter.total > 1:
            self._show()

    def _on_change(self) -> None:
        if self._bar is None and self.counter.has_video:
            self._show()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self.counter.done)

    def _on_end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._note_end()

    def _show(self) -> None:
        self._bar = RichProgress(
            BarColumn(bar_width=24),
            _TextColumn(),
            console=self.console.terminal,
            transient=True,
            expand=True,
            # Output to a pipe must not pass through the terminal.
            redirect_stdout=sys.stdout.isatty(),
        )
        done, total = self.counter.done, self.counter.total
        self._bar.add_task(self.noun, completed=done, total=total, text=self._text)
        self._bar.start()

    def _text(self) -> str:
        return f"{self.counter.text()}  {self.source}"


class _TextColumn(ProgressColumn):
    """The text beside the bar, made when it is shown: the time left changes meanwhile."""

    def __init__(self) -> None:
        super().__init__(Column(ratio=1, no_wrap=True, overflow="ellipsis"))

    def render(self, task: Task) -> Text:
        """The counts and, where there is room, the latest input."""
        return Text(printable(task.fields["text"]()), no_wrap=True, overflow="ellipsis")


class JSONProgress(ProgressDisplay):
    """One object per line: at the start, at most once a second, for each failure, at the end."""

    _shown_at = 0.0

    def _on_start(self) -> None:
        self._print("start")

    def _on_change(self) -> None:
        if self.counter.seconds - self._shown_at >= _JSON_EVERY:
            self._shown_at = self.counter.seconds
            self._print("progress", input=self.source)

    def _on_end(self) -> None:
        self._print("end")

    def _on_failure(self, source: str, error: str) -> None:
        self._print("failed", input=source, error=error)

    def _print(self, event: str, **more: Any) -> None:
        counter = self.counter
        left = counter.seconds_left
        values = {
            "event": event,
            "total": counter.total,
            "done": counter.done,
            "failed": counter.failed,
            "frames": counter.frames,
            "seconds": round(counter.seconds, 3),
            "seconds_left": None if left is None else round(left, 3),
            **more,
        }
        print(json.dumps(values), file=sys.stderr, flush=True)


def open_progress(
    console: Console, noun: str = "inputs", show: Callable[[Record], None] | None = None
) -> ProgressDisplay:
    """The kind of progress for a console's options and terminal."""
    kind: type[ProgressDisplay] = BarProgress if console.has_room_for_bars else LineProgress
    if console.quiet:
        kind = ProgressDisplay
    if console.style == "json":
        kind = JSONProgress
    return kind(console, noun, show)
