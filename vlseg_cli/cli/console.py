"""Output for people, all on stderr: tables on a terminal, plain lines in a log.

Colors follow NO_COLOR, FORCE_COLOR and TERM through rich; with ``--quiet`` only errors are printed.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console as Terminal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from vlseg_cli.cli.values import printable
from vlseg_cli.schema import Record, Segment, Task

_COLUMNS = ("label", "score", "area", "box x, y, w, h")


class Console:
    """Messages and results for the user.

    style: 'auto' for a bar on a terminal and lines elsewhere, 'lines', or 'json' for a program
    that reads stderr: one object per line.
    """

    def __init__(self, quiet: bool, style: str = "auto") -> None:
        self.quiet, self.style = quiet, style
        silent = quiet or style == "json"
        self.terminal = Terminal(stderr=True, quiet=silent, highlight=False, markup=False)

    @property
    def has_room_for_bars(self) -> bool:
        """Whether stderr is a terminal that can redraw a line."""
        terminal = self.terminal
        return self.style == "auto" and terminal.is_interactive and terminal.file.isatty()

    def note(self, text: str) -> None:
        """Print one line."""
        if self.style == "json" and not self.quiet:
            print(json.dumps({"event": "note", "text": text}), file=sys.stderr, flush=True)
        self.terminal.print(printable(text), soft_wrap=True)

    def error(self, text: str) -> None:
        """Print one line even with ``--quiet``."""
        print(f"vlseg: {printable(text)}", file=sys.stderr)

    def show(self, record: Record, in_full: bool) -> None:
        """Print a record: in full as a table or a line per segment, else as a single line."""
        if not in_full:
            self.note(f"{title(record)}: {_summary(record.segments)}")
            return
        if record.segments and self.terminal.is_terminal:
            self.terminal.print(_table(record))
        else:
            self.note(title(record) + ("" if record.segments else ": nothing found"))
            for segment in record.segments:
                self.note("  " + "  ".join(_cells(segment, record)))
        if record.text:
            self.note(record.text)

    @contextmanager
    def download(self, path: str, size: int | None) -> Iterator[Callable[[int], None]]:
        """Show the progress of a download: a bar on a terminal, a line in a log.

        size: in bytes, None if unknown. Yields a function to call with the number of new bytes.
        """
        if not self.terminal.is_terminal:
            self.note(f"fetching {path}" + (f" ({size / 1e6:.1f} MB)" if size else ""))
        bar = Progress(
            "{task.description}",
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self.terminal,
            disable=not self.terminal.is_terminal,
        )
        with bar:
            task = bar.add_task(printable(path), total=size)
            yield lambda count: bar.advance(task, count)


def title(record: Record) -> str:
    """'kitchen.png: what keeps food cold?', for a video with the frame."""
    source = f"{record.input}, frame {record.frame}" if record.is_video else record.input
    if isinstance(record.prompt, str):
        return f"{source}: {record.prompt}"
    if record.task is Task.INTERACTIVE:
        return f"{source}: {', '.join(record.prompt)}"
    return f"{source}: {record.task.value}"


def _table(record: Record) -> Table:
    table = Table(title=Text(printable(title(record))), title_justify="left")
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "label" else "right")
    for segment in record.segments:
        table.add_row(*(Text(printable(cell)) for cell in _cells(segment, record)))
    return table


def _cells(segment: Segment, record: Record) -> tuple[str, str, str, str]:
    fraction = segment.area / (record.height * record.width)
    box = ", ".join(f"{side:.0f}" for side in segment.bbox)
    return segment.label, f"{segment.score:.2f}", f"{fraction:.1%}", box


def _summary(segments: tuple[Segment, ...]) -> str:
    """'3 segments: cup 0.91, table 0.88, …'."""
    if not segments:
        return "nothing found"
    best = sorted(segments, key=lambda segment: -segment.score)[:3]
    listed = ", ".join(f"{segment.label} {segment.score:.2f}" for segment in best)
    count = "1 segment" if len(segments) == 1 else f"{len(segments)} segments"
    return f"{count}, {listed}" + (", …" if len(segments) > len(best) else "")
