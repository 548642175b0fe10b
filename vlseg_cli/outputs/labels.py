"""Labels on an overlay: text on a rectangle of the segment's color, inside it or just above it.

A label is at the innermost point of its segment if it fits there, stays inside the image, and
avoids labels already drawn.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vlseg_cli.outputs.colors import RGB, ink_on

_LINES = 42  # height of the text: the image's longest side / this …
_SMALLEST, _LARGEST = 11, 48  # … between these, px
_WIDEST = 0.8  # fraction of the image's width that a label may take
_ROOM = 0.8  # fraction of a segment's box that a label inside it may take

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in px, x1 and y1 exclusive


@dataclass(frozen=True, slots=True)
class Label:
    """Text of a segment, its box x, y, w, h and its innermost point x, y, in px."""

    text: str
    score: float
    color: RGB
    bbox: tuple[float, float, float, float]
    center: tuple[int, int]


def draw_labels(pixels: NDArray[np.uint8], labels: Sequence[Label]) -> None:
    """Draw all labels on an image (H, W, 3) in place; only their rectangles change."""
    height, width = pixels.shape[:2]
    size = min(_LARGEST, max(_SMALLEST, round(max(height, width) / _LINES)))
    placed: list[Box] = []
    for label in labels:
        font = _font(label.text.isascii(), size)
        padding = max(2, size // 5)
        score = f" {label.score:.2f}"
        room = _WIDEST * width - 2 * padding - font.getlength(score)
        text = shortened(label.text, font, room) + score
        plate = (round(font.getlength(text)) + 2 * padding, size + padding)
        box = _avoid_overlap(_preferred_box(label, plate), placed, (width, height))
        placed.append(box)
        view = pixels[box[1] : box[3], box[0] : box[2]]
        view[:] = _draw_label(view, text, label.color, font, padding)


def _draw_label(
    view: NDArray[np.uint8], text: str, color: RGB, font: ImageFont.FreeTypeFont, padding: int
) -> NDArray[np.uint8]:
    """The pixels (h, w, 3) under a label, with the label drawn."""
    picture = Image.fromarray(view)
    pen = ImageDraw.Draw(picture)
    right, bottom = picture.width - 1, picture.height - 1
    pen.rounded_rectangle((0, 0, right, bottom), padding, fill=color)
    pen.text((padding, picture.height / 2), text, font=font, anchor="lm", fill=ink_on(color))
    return np.asarray(picture)


def shortened(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The text on one line, cut with an ellipsis if it is wider than ``width`` px."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    end = bisect_right(range(len(text)), width, key=lambda end: font.getlength(text[:end] + "…"))
    while end and font.getlength(text[:end] + "…") > width:
        end -= 1
    return text[:end].rstrip() + "…"


def innermost_point(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """A point (x, y) deep inside a mask (H, W), found by eroding a coarse copy."""
    step = max(1, max(mask.shape) // 96)
    core = np.pad(mask[::step, ::step], 1)
    if not core.any():  # thinner than the coarse grid
        y, x = np.argwhere(mask)[0]
        return int(x), int(y)
    while (peeled := _erode(core)).any():
        core = peeled
    points = np.argwhere(core)
    nearest = np.abs(points - points.mean(0)).sum(1).argmin()
    y, x = (points[nearest] - 1) * step
    return int(x), int(y)


def _erode(core: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without its outermost layer of pixels; the array's border is always empty."""
    inner = core[1:-1, 1:-1] & core[:-2, 1:-1] & core[2:, 1:-1] & core[1:-1, :-2] & core[1:-1, 2:]
    return np.pad(inner, 1)


@cache
def _font(is_ascii: bool, size: int) -> ImageFont.FreeTypeFont:
    """Pillow's font for ASCII; matplotlib's for the letters that it lacks."""
    if is_ascii:
        font = ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont)
        return font
    import matplotlib

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)


def _preferred_box(label: Label, plate: tuple[int, int]) -> Box:
    """The preferred box of a label: inside its segment if there is room, else above it."""
    x, y, width, height = (int(side) for side in label.bbox)
    if plate[0] <= _ROOM * width and plate[1] <= _ROOM * height:
        left, top = label.center[0] - plate[0] // 2, label.center[1] - plate[1] // 2
    else:
        left, top = x + width // 2 - plate[0] // 2, y - plate[1] - 1
    return left, top, left + plate[0], top + plate[1]


def _avoid_overlap(wish: Box, placed: Sequence[Box], picture: tuple[int, int]) -> Box:
    """The wish, clamped to the image and moved up or down until it overlaps no other label."""
    height = wish[3] - wish[1]
    inside = _clamp(wish, picture)
    for shift in (0, 1, -1, 2, -2, 3, -3, 4, -4):
        step = shift * (height + 1)
        box = _clamp((inside[0], inside[1] + step, inside[2], inside[3] + step), picture)
        if not any(_overlap(box, other) for other in placed):
            return box
    return inside


def _clamp(box: Box, picture: tuple[int, int]) -> Box:
    x0 = max(0, min(box[0], picture[0] - (box[2] - box[0])))
    y0 = max(0, min(box[1], picture[1] - (box[3] - box[1])))
    return x0, y0, x0 + box[2] - box[0], y0 + box[3] - box[1]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
