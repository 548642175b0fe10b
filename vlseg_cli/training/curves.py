"""The curves of a training as one PNG: losses, learning rate, gradient norm, speed."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from vlseg_cli.outputs.atomic import write_atomically

_PANELS = ("lr", "grad_norm", "samples_per_second")
_STYLES = ("-", "--", ":")  # matplotlib has ten colours; a model may have more losses
_NO_LOSS = ("step", "stage", "skipped", *_PANELS)


def draw_curves(rows: Sequence[Mapping[str, str | int | float]], path: Path) -> None:
    """Draw log rows over their steps and replace ``path`` (PNG) in one move."""
    losses = sorted({key for row in rows for key in row} - set(_NO_LOSS))
    # A Figure of its own draws without a display and without pyplot's global state.
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
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=80)
    write_atomically(path, picture.getvalue())
