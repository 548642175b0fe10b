"""``overlay/NAME.png``: the answer drawn over the picture, on the picture's own grid.

Large segments are painted first, so that a cup on a table stays visible; labels come last.
"""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.outputs.colours import RGB, colour_of, ink_on
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.labels import Label, draw_labels, innermost
from vlseg_cli.schema import Frame, Prediction, Segment, Task, decode_rle

_FILL = 0.45  # opacity of a mask
_LINES_PER_SIDE = 400  # an outline is the longest side / this thick, at least 1 px


class OverlaySink:
    """Writes one picture per frame, with the answers to all its prompts."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder

    def write(self, frame: Frame, name: str, predictions: Sequence[Prediction]) -> None:
        """Draw and write one frame."""
        buffer = io.BytesIO()
        draw_overlay(frame, predictions).save(buffer, "PNG", compress_level=3)
        self._folder.write(buffer.getvalue(), "overlay", f"{name}.png")

    def close(self) -> None:
        """Nothing is left to do."""


def draw_overlay(frame: Frame, predictions: Sequence[Prediction]) -> Image.Image:
    """Draw masks (or boxes, if those were asked for) with labels over the frame: RGB, (W, H)."""
    pixels = frame.pixels.copy()
    thickness = max(1, round(max(frame.height, frame.width) / _LINES_PER_SIDE))
    labels = []
    for segment, colour, boxed in sorted(_coloured(predictions), key=lambda one: -one[0].area):
        mask = decode_rle(segment.rle)
        if not boxed:
            _tint(pixels, mask, segment, colour)
        _outline(pixels, _box(mask, segment) if boxed else mask, segment, colour, thickness)
        centre = innermost(mask)
        labels.append(Label(segment.label, segment.score, colour, segment.bbox, centre))
    picture = Image.fromarray(pixels)
    draw_labels(picture, labels)
    return picture


def _coloured(predictions: Sequence[Prediction]) -> list[tuple[Segment, RGB, bool]]:
    """Segments to be seen, their colours (by category in semantic maps), whether as boxes."""
    found: list[tuple[Segment, RGB, bool]] = []
    for prediction in predictions:
        for segment in prediction.segments:
            by_category = prediction.task is Task.SEMANTIC and segment.category_id is not None
            index = segment.category_id if by_category else len(found)
            if segment.area:
                found.append((segment, colour_of(index or 0), prediction.task is Task.DETECT))
    return found


def _tint(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_], segment: Segment, colour: RGB
) -> None:
    """Lay colour over a mask in place."""
    window = _window(segment, margin=0)
    inside = mask[window]
    mixed = (1 - _FILL) * pixels[window][inside] + _FILL * np.asarray(colour, np.float32)
    pixels[window][inside] = mixed.astype(np.uint8)


def _outline(
    pixels: NDArray[np.uint8],
    shape: NDArray[np.bool_],
    segment: Segment,
    colour: RGB,
    thickness: int,
) -> None:
    """Draw a line in place just inside a shape, and a thin one of contrast just outside."""
    window = _window(segment, margin=1)
    inside, view = shape[window], pixels[window]
    view[_grown(inside, 1) & ~inside] = ink_on(colour)
    view[inside & _grown(~inside, thickness)] = colour


def _window(segment: Segment, margin: int) -> tuple[slice, slice]:
    """Rows and columns of a segment's box and ``margin`` px around it; work stays in there."""
    x, y, width, height = (int(side) for side in segment.bbox)
    rows = slice(max(0, y - margin), y + height + margin)
    return rows, slice(max(0, x - margin), x + width + margin)


def _box(mask: NDArray[np.bool_], segment: Segment) -> NDArray[np.bool_]:
    box = np.zeros_like(mask)
    box[_window(segment, margin=0)] = True
    return box


def _grown(mask: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """The mask and all pixels within ``steps`` moves up, down, left or right of it."""
    for _ in range(steps):
        grown = mask.copy()
        grown[1:] |= mask[:-1]
        grown[:-1] |= mask[1:]
        grown[:, 1:] |= mask[:, :-1]
        grown[:, :-1] |= mask[:, 1:]
        mask = grown
    return mask
