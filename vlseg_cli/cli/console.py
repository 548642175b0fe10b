"""What a person sees, all of it on stderr: tables on a terminal, plain lines in a log.

Colours follow NO_COLOR, FORCE_COLOR and TERM through rich; ``--quiet`` leaves errors alone.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console as Terminal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from vlseg_cli.cli.sentence import printable
from vlseg_cli.outputs.records import prompt_words
from vlseg_cli.schema import Categories, Prediction, Regions, Segment

_COLUMNS = ("label", "score", "area", "box x, y, w, h")


class Console:
    """Speaks to the person who started the command."""

    def __init__(self, quiet: bool) -> None:
        self.terminal = Terminal(stderr=True, quiet=quiet, highlight=False, markup=False)

    def note(self, text: str) -> None:
        """Say one line."""
        self.terminal.print(printable(text), soft_wrap=True)

    def error(self, text: str) -> None:
        """Say one line even if asked to be quiet."""
        print(f"vlseg: {printable(text)}", file=sys.stderr)

    def show(self, prediction: Prediction, in_full: bool) -> None:
        """Show an answer: in full as a table or a line per segment, else as a single line."""
        if not in_full:
            self.note(f"{title(prediction)}: {_in_short(prediction.segments)}")
            return
        if prediction.segments and self.terminal.is_terminal:
            self.terminal.print(_table(prediction))
        else:
            self.note(title(prediction) + ("" if prediction.segments else ": nothing found"))
            for segment in prediction.segments:
                self.note("  " + "  ".join(_cells(segment, prediction)))
        if prediction.text:
            self.note(prediction.text)

    @contextmanager
    def progress(self, total: int, what: str) -> Iterator[Callable[[], None]]:
        """Show a bar while the block runs, on a terminal and for more than one item.

        Yields the function to call after each item.
        """
        bar = Progress(
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.terminal,
            transient=True,
            disable=total < 2 or not self.terminal.is_terminal,
        )
        with bar:
            task = bar.add_task(what, total=total)
            yield lambda: bar.advance(task)

    @contextmanager
    def download(self, path: str, size: int | None) -> Iterator[Callable[[int], None]]:
        """Show how much of a file has come: a bar on a terminal, a line in a log.

        size: in bytes, None if nobody knows. Yields what to call with the bytes that came.
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


def title(prediction: Prediction) -> str:
    """'kitchen.png: what keeps food cold?'."""
    match prediction.prompt:
        case Categories():
            asked = prediction.task.value
        case Regions():
            asked = ", ".join(prompt_words(prediction.prompt))
        case sentence:
            asked = sentence.text
    return f"{prediction.source}: {asked}"


def _table(prediction: Prediction) -> Table:
    table = Table(title=Text(printable(title(prediction))), title_justify="left")
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "label" else "right")
    for segment in prediction.segments:
        table.add_row(*(Text(printable(cell)) for cell in _cells(segment, prediction)))
    return table


def _cells(segment: Segment, prediction: Prediction) -> tuple[str, str, str, str]:
    share = segment.area / (prediction.height * prediction.width)
    box = ", ".join(f"{side:g}" for side in segment.bbox)
    return segment.label, f"{segment.score:.2f}", f"{share:.1%}", box


def _in_short(segments: tuple[Segment, ...]) -> str:
    """'3 segments: cup 0.91, table 0.88, …'."""
    if not segments:
        return "nothing found"
    best = sorted(segments, key=lambda segment: -segment.score)[:3]
    listed = ", ".join(f"{segment.label} {segment.score:.2f}" for segment in best)
    count = "1 segment" if len(segments) == 1 else f"{len(segments)} segments"
    return f"{count}, {listed}" + (", …" if len(segments) > len(best) else "")
