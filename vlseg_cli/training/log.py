"""The log of a training: lines on stderr, ``log.csv``, TensorBoard and curves as one PNG."""

import csv
import io
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from vlseg_cli.outputs.atomic import write_atomically

_PANELS = ("lr", "grad_norm", "samples_per_second")
_STYLES = ("-", "--", ":")  # matplotlib has ten colors; a model may have more losses
_NO_LOSS = ("step", "stage", "skipped", *_PANELS)
_FIRST = ("step", "stage", "loss", "lr", "grad_norm", "samples_per_second", "skipped")
Row = dict[str, str | int | float]


class LossMeter:
    """Means of the losses over the steps between two log rows, on their device until then."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: defaultdict[str, int] = defaultdict(int)

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Add the losses of one pass."""
        for name, value in losses.items():
            value = value.detach().float()
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] += 1

    def pop_means(self) -> dict[str, float]:
        """The means, after which the meter is empty."""
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        self.clear()
        return means

    def clear(self) -> None:
        """Forget all losses."""
        self._sums.clear()
        self._counts.clear()

    def state(self) -> dict[str, tuple[float, int]]:
        """Sum and number of passes of each loss, for JSON: a float keeps all bits of a float32."""
        return {name: (float(total), self._counts[name]) for name, total in self._sums.items()}

    def restore(self, state: Mapping[str, tuple[float, int]], device: torch.device) -> None:
        """Continue with the losses of ``state``."""
        self.clear()
        for name, (total, count) in state.items():
            self._sums[name], self._counts[name] = torch.tensor(total, device=device), count


class RunLog:
    """Writes ``log.csv``, ``tensorboard/`` and ``curves.png`` in ``out``; lines to stderr."""

    def __init__(self, out: Path, step: int) -> None:
        """Resume at ``step``: rows of later steps, of a run that was killed, are dropped."""
        out.mkdir(parents=True, exist_ok=True)
        self._csv = out / "log.csv"
        self._curves = out / "curves.png"
        self._rows = [row for row in read_log(self._csv) if int(row["step"]) <= step]
        self._columns = list(_FIRST)
        self._write_all()
        self._board = SummaryWriter(str(out / "tensorboard"), purge_step=step + 1)
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:.0f}%"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("training", total=1.0)
        self._bar.start()

    def row(self, row: Row, fraction: float) -> None:
        """Write one row; ``fraction`` of the stage is finished."""
        self._rows.append(row)
        if row.keys() <= set(self._columns):
            with self._csv.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, self._columns).writerow(row)
        else:
            self._write_all()
        for name, value in row.items():
            if isinstance(value, float):
                self._board.add_scalar(name, value, row["step"])
        self._bar.update(self._task, description=str(row["stage"]), completed=fraction)
        self.print(_line(row, fraction))

    def print(self, sentence: str) -> None:
        """One line on stderr, above the progress bar if there is one."""
        self._console.print(sentence, markup=False)

    def draw(self) -> None:
        """Update ``curves.png``."""
        self._board.flush()
        draw_curves(self._rows, self._curves)

    def close(self) -> None:
        """Close the progress bar and the files."""
        self._bar.stop()
        self._board.close()

    def _write_all(self) -> None:
        """Rewrite the file, as a new loss needs a column in the header."""
        self._columns += sorted({key for row in self._rows for key in row} - set(self._columns))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._columns)
        writer.writeheader()
        writer.writerows(self._rows)
        write_atomically(self._csv, text.getvalue().encode())


def read_log(path: Path) -> list[Row]:
    """The whole rows of a ``log.csv`` with numbers as numbers; none if there is no file.

    A line that a power cut tore, or filled with zeros, is left out.
    """
    if not path.exists():
        return []
    text = path.read_bytes().decode("utf-8", "replace").replace("\0", "")
    ended = io.StringIO(text[: text.rfind("\n") + 1], newline="")
    header, *lines = csv.reader(ended) if ended.getvalue() else [[]]
    rows = (dict(zip(header, line, strict=True)) for line in lines if len(line) == len(header))
    found = ({key: _number(cell) for key, cell in row.items() if cell} for row in rows)
    return [row for row in found if isinstance(row.get("step"), int)]


def _number(text: str) -> str | int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _line(row: Row, fraction: float) -> str:
    losses = " ".join(f"{k} {v:.3f}" for k, v in row.items() if k not in _FIRST)
    known: dict[str, Any] = row
    return (
        "{stage} {fraction:4.0%} step {step} loss {loss:.3f} lr {lr:.2e} grad {grad_norm:.2f} "
        "{samples_per_second:.1f} samples/s  {losses}"
    ).format(**known, fraction=fraction, losses=losses)


def draw_curves(rows: Sequence[Mapping[str, str | int | float]], path: Path) -> None:
    """Plot log rows over their steps into ``path`` (PNG), replaced atomically."""
    losses = sorted({key for row in rows for key in row} - set(_NO_LOSS))
    # A Figure needs neither a display nor pyplot's global state.
    figure = Figure(figsize=(13, 8))
    left, *right = figure.subplot_mosaic(
        [["losses", name] for name in _PANELS], width_ratios=(2, 1)
    ).values()
    figure.subplots_adjust(left=0.05, right=0.98, top=0.95, bottom=0.05, hspace=0.3, wspace=0.15)
    for axes, title, names in zip(
        (left, *right), ("losses", *_PANELS), (losses, *((name,) for name in _PANELS)), strict=True
    ):
        for number, name in enumerate(names):
            points = [(row["step"], float(row[name])) for row in rows if name in row]
            if points:
                axes.plot(*zip(*points, strict=True), _STYLES[number // 10 % 3], label=name)
        axes.set_title(title)
        axes.grid(alpha=0.3)
    if losses:
        left.set_yscale("log")
        left.legend(fontsize="small", ncols=2)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=80)
    write_atomically(path, png.getvalue())
