"""``overlay/NAME.png``: predictions drawn over the image at its own size.

Large segments are drawn first, so that a cup on a table stays visible; labels come last. Only the
boxes of the segments are processed: most of a large frame is never touched.
"""

import io
import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.outputs.colors import RGB, color_of, ink_on
from vlseg_cli.outputs.folder import OutputFolder, frame_file
from vlseg_cli.outputs.labels import Label, draw_labels, innermost_point
from vlseg_cli.outputs.sink import PictureSink
from vlseg_cli.schema import Frame, Item, Record, Segment, Task, bounds_rle, decode_rle

Box = tuple[float, float, float, float]
PixelBox = tuple[int, int, int, int]

_BOXED = (Task.DETECT, Task.GROUND)  # drawn as boxes
_FILL = 115  # opacity of a mask, of 256
_LINES_PER_SIDE = 400  # an outline is the longest side / this thick, at least 1 px


class DrawablePrediction(Protocol):
    """A Prediction or a Record."""

    @property
    def task(self) -> Task: ...
    @property
    def segments(self) -> Sequence[Segment]: ...


class OverlaySink(PictureSink):
    """Writes a PNG per frame with the predictions of all its prompts; videos have folders.

    videos: False leaves videos out, if they are written as MP4.
    """

    def __init__(self, folder: OutputFolder, videos: bool = True) -> None:
        super().__init__(folder)
        self._videos = videos

    def write(self, frame: Frame, item: Item, part: int, records: Sequence[Record]) -> None:  # noqa: ARG002
        """Draw and write one frame."""
        if item.is_video and not self._videos:
            return
        buffer = io.BytesIO()
        Image.fromarray(draw_overlay(frame, records)).save(buffer, "PNG", compress_level=3)
        parts = frame_file(item.name, item.is_video, frame.index, ".png")
        self.save(buffer.getvalue(), "overlay", *parts)


def draw_overlay(frame: Frame, answers: Sequence[DrawablePrediction]) -> NDArray[np.uint8]:
    """Masks (boxes for detection) with labels over the frame: (H, W, 3) RGB.

    The frame's own pixels, not a copy, if there is nothing to draw.
    """
    found = sorted(_colored(answers), key=lambda one: -one[0].area)
    if not found:
        return frame.pixels
    pixels = frame.pixels.copy()
    thickness = max(1, round(max(frame.height, frame.width) / _LINES_PER_SIDE))
    labels = []
    for segment, color, boxed in found:
        box = _touched_pixels(segment.bbox) if boxed else bounds_rle(segment.rle)
        window = _window(box)
        view = pixels[window]
        if boxed:
            shape = np.zeros(frame.pixels.shape[:2], bool)
            shape[_rectangle(box)] = True
            shape = np.ascontiguousarray(shape[window])
        else:
            shape = np.ascontiguousarray(decode_rle(segment.rle)[window])
            _tint(view, shape, color)
        _outline(view, shape, color, thickness)
        x, y = innermost_point(shape)
        center = x + window[1].start, y + window[0].start
        labels.append(Label(segment.label, segment.score, color, box, center))
    draw_labels(pixels, labels)
    return pixels


def _colored(answers: Sequence[DrawablePrediction]) -> list[tuple[Segment, RGB, bool]]:
    """Visible segments, their colors (by track, by category in semantic maps, else by index), and
    whether they are drawn as boxes."""
    found: list[tuple[Segment, RGB, bool]] = []
    for answer in answers:
        for segment in answer.segments:
            by_category = answer.task is Task.SEMANTIC and segment.category_id is not None
            index = segment.category_id if by_category else len(found)
            if segment.track_id is not None:
                index = segment.track_id - 1
            boxed = answer.task in _BOXED
            if all(segment.bbox[2:]) if boxed else segment.area:
                found.append((segment, color_of(index or 0), boxed))
    return found


def _touched_pixels(bbox: Box) -> PixelBox:
    """The pixels that a box covers, at least partly: x, y, w, h."""
    x, y, width, height = bbox
    left, top = math.floor(x), math.floor(y)
    return left, top, math.ceil(x + width) - left, math.ceil(y + height) - top


def _rectangle(box: PixelBox) -> tuple[slice, slice]:
    """Rows and columns of a box."""
    x, y, width, height = box
    return slice(y, y + height), slice(x, x + width)


def _window(box: PixelBox) -> tuple[slice, slice]:
    """Rows and columns of a box and 1 px around it, inside the image."""
    x, y, width, height = box
    return slice(max(0, y - 1), y + height + 1), slice(max(0, x - 1), x + width + 1)


def _tint(view: NDArray[np.uint8], mask: NDArray[np.bool_], color: RGB) -> None:
    """Blend a color over a mask in place."""
    levels = np.arange(256)
    for channel, level in enumerate(color):
        mixed = ((256 - _FILL) * levels + _FILL * level >> 8).astype(np.uint8)
        np.copyto(view[..., channel], mixed[view[..., channel]], where=mask)


def _outline(view: NDArray[np.uint8], shape: NDArray[np.bool_], color: RGB, thickness: int) -> None:
    """Draw a line in place just inside a shape, and a thin contrasting one just outside."""
    view[_dilate(shape, 1) & ~shape] = ink_on(color)
    view[shape & _dilate(~shape, thickness)] = color


def _dilate(mask: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """The mask and all pixels within ``steps`` moves up, down, left or right of it."""
    for _ in range(steps):
        grown = mask.copy()
        grown[1:] |= mask[:-1]
        grown[:-1] |= mask[1:]
        grown[:, 1:] |= mask[:, :-1]
        grown[:, :-1] |= mask[:, 1:]
        mask = grown
    return mask
