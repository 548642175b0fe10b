"""One case drawn for the eye: the answer in colour, the true outline white, the prompt yellow."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.outputs.colours import RGB, colour_of, ink_on
from vlseg_cli.schema import Task, decode_rle

_SIDE = 512  # px: small scenes are enlarged to about this
_FILL = 0.5  # opacity of an answer
_LINE = 2  # px of an outline
_SURE = 0.5  # score from which an answered box is drawn
_PROMPT: RGB = (255, 215, 0)
_WHITE: RGB = (255, 255, 255)
_BLACK: RGB = (0, 0, 0)


def draw_case(case: Case) -> Image.Image:
    """Draw answer, truth and prompt over the picture; small pictures are enlarged."""
    frame = case.frame
    scale = max(1, round(_SIDE / max(frame.height, frame.width)))
    size = (frame.width * scale, frame.height * scale)
    picture = Image.fromarray(frame.pixels).resize(size, Image.Resampling.BICUBIC)
    if case.query.task is Task.DETECT:
        _draw_boxes(picture, case, scale)
        return picture
    for number, segment in enumerate(case.segments):
        area = _enlarged(decode_rle(segment.rle), scale).point(lambda value: round(_FILL * value))
        picture.paste(colour_of(number), mask=area)
    for mask in case.truth:
        _outline(picture, mask, scale, _WHITE)
    if case.region is not None:
        _outline(picture, case.region.mask, scale, _PROMPT)
    return picture


def _draw_boxes(picture: Image.Image, case: Case, scale: int) -> None:
    """White true boxes below, answered boxes above."""
    pen = ImageDraw.Draw(picture)
    for mask in case.truth:
        box = Image.fromarray(mask).getbbox()
        if box is not None:
            pen.rectangle([side * scale for side in box], outline=_WHITE, width=_LINE)
    sure = [segment for segment in case.segments if segment.score >= _SURE]
    for number, segment in enumerate(sure):
        colour = colour_of(number)
        x, y, width, height = (side * scale for side in segment.bbox)
        pen.rectangle((x, y, x + width, y + height), outline=colour, width=_LINE)
        pen.text(
            (x + 4, y + 2), segment.label, fill=ink_on(colour), stroke_width=2, stroke_fill=colour
        )


def _outline(picture: Image.Image, mask: NDArray[np.bool_], scale: int, colour: RGB) -> None:
    """A line just inside the mask's edge, with a dark one just outside so that it always shows."""
    whole = np.asarray(_enlarged(mask, scale)) > 0
    outer = ndimage.binary_dilation(whole) & ~whole
    inner = whole & ~ndimage.binary_erosion(whole, iterations=_LINE)
    picture.paste(_BLACK, mask=Image.fromarray(outer))
    picture.paste(colour, mask=Image.fromarray(inner))


def _enlarged(mask: NDArray[np.bool_], scale: int) -> Image.Image:
    """0 or 255, ``scale`` times as large."""
    size = (mask.shape[1] * scale, mask.shape[0] * scale)
    return Image.fromarray(mask).convert("L").resize(size, Image.Resampling.NEAREST)
