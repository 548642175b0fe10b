"""How a run goes, on stderr: a bar on a terminal, now and then a line in a log, JSON for programs.

All three count alike and differ only in what they do when something has moved. Called from one
thread at a time.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from rich.progress import BarColumn, ProgressColumn, Task
from rich.progress import Progress as RichProgress
from rich.table import Column
from rich.text import Text

from vlseg_cli.cli.console import Console
from vlseg_cli.cli.progress_counter import ProgressCounter, duration
from vlseg_cli.cli.wording import printable
from vlseg_cli.schema import Record

_LINE_EVERY, _JSON_EVERY = 30.0, 1.0  # s


class ProgressDisplay:
    """Counts, and says errors alone: the whole of it for ``--quiet``, and the others' ground."""

    def __init__(
        self,
        console: Console,
        noun: str = "inputs",
        show: Callable[[Record], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """noun: what is counted, in the plural. show: is given each answer. clock: tells s."""
        self.console, self.noun, self.show, self.clock = console, noun, show, clock
        self.tally = ProgressCounter(noun, 0, 0, clock)
        self.source = ""  # of the latest input

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended()

    def start(self, total: int, done: int = 0) -> None:
        """So many inputs in all, and done before this run."""
        self.tally = ProgressCounter(self.noun, total, done, self.clock)
        self._begun()

    def frames(self, count: int) -> None:
        """So many more frames are answered."""
        self.tally.frames += count
        self._moved()

    def item(self, source: str, error: str | None = None) -> None:
        """An input is complete, or has failed for this reason."""
        self.source = source
        self.tally.done += 1
        if error is not None:
            self.tally.failed += 1
            self._failed(source, error)
        self._moved()

    def records(self, records: Sequence[Record]) -> None:
        """Answers that were just written."""
        if self.show is not None:
            for record in records:
                self.show(record)

    def note(self, text: str) -> None:
        """Something a person should know."""
        self.console.note(text)

    def _begun(self) -> None: ...

    def _moved(self) -> None: ...

    def _ended(self) -> None: ...

    def _failed(self, source: str, error: str) -> None:
        self.console.error(error if source in error else f"{source}: {error}")

    def _note_end(self) -> None:
        """The last line, if there was more to do than a single picture."""
        tally = self.tally
        if tally.done > tally.before and (tally.total > 1 or tally.has_video):
            self.console.note(f"{tally.words()}, in {duration(tally.seconds)}")


class LineProgress(ProgressDisplay):
    """A line about every 30 s, and one at the end."""

    _said = 0.0

    def _moved(self) -> None:
        if self.tally.seconds - self._said >= _LINE_EVERY:
            self._said = self.tally.seconds
            self.console.note(self.tally.words())

    def _ended(self) -> None:
        self._note_end()


class BarProgress(ProgressDisplay):
    """A bar while it lasts, and a line at the end. A single picture is not worth a bar."""

    _bar: RichProgress | None = None

    def _begun(self) -> None:
        if self.tally.total > 1:
            self._show()

    def _moved(self) -> None:
        if self._bar is None and self.tally.has_video:
            self._show()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self.tally.done)

    def _ended(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._note_end()

    def _show(self) -> None:
        self._bar = RichProgress(
            BarColumn(bar_width=24),
            _WordsColumn(),
            console=self.console.terminal,
            transient=True,
            expand=True,
            # What a pipe reads from stdout must not pass through the terminal.
            redirect_stdout=sys.stdout.isatty(),
        )
        done, total = self.tally.done, self.tally.total
        self._bar.add_task(self.noun, completed=done, total=total, words=self._words)
        self._bar.start()

    def _words(self) -> str:
        return f"{self.tally.words()}  {self.source}"


class _WordsColumn(ProgressColumn):
    """The words beside the bar, made when they are shown: the time left goes on."""

    def __init__(self) -> None:
        super().__init__(Column(ratio=1, no_wrap=True, overflow="ellipsis"))

    def render(self, task: Task) -> Text:
        """The tally and, where there is room, the latest input."""
        return Text(printable(task.fields["words"]()), no_wrap=True, overflow="ellipsis")


class JSONProgress(ProgressDisplay):
    """An object a line: at the beginning, at most once a second, for each failure, at the end."""

    _said = 0.0

    def _begun(self) -> None:
        self._say("start")

    def _moved(self) -> None:
        if self.tally.seconds - self._said >= _JSON_EVERY:
            self._said = self.tally.seconds
            self._say("progress", input=self.source)

    def _ended(self) -> None:
        self._say("end")

    def _failed(self, source: str, error: str) -> None:
        self._say("failed", input=source, error=error)

    def _say(self, event: str, **more: Any) -> None:
        tally = self.tally
        left = tally.seconds_left
        values = {
            "event": event,
            "total": tally.total,
            "done": tally.done,
            "failed": tally.failed,
            "frames": tally.frames,
            "seconds": round(tally.seconds, 3),
            "seconds_left": None if left is None else round(left, 3),
            **more,
        }
        print(json.dumps(values), file=sys.stderr, flush=True)


def open_progress(
    console: Console, noun: str = "inputs", show: Callable[[Record], None] | None = None
) -> ProgressDisplay:
    """The kind of progress that the console's choices and its terminal ask for."""
    kind: type[ProgressDisplay] = BarProgress if console.has_room_for_bars else LineProgress
    if console.quiet:
        kind = ProgressDisplay
    if console.style == "json":
        kind = JSONProgress
    return kind(console, noun, show)
