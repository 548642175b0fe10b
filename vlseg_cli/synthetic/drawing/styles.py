"""Styles: what happens to a finished drawing. Masks stay exact: what moves pixels moves ids alike.

Lengths are given for an image of 192 x 192 px and grow with its size.
"""

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Pixels = NDArray[np.floating[Any]]
Ids = NDArray[np.uint8]
_REFERENCE = 192.0  # px, the side of the image that lengths are given for
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing in the making. pixels: (H, W, 3) float, 0 to 255. ids: (H, W). rng: seeded."""

    pixels: Pixels
    ids: Ids
    rng: Generator

    def px(self, length: float) -> float:
        """A length at 192 px in pixels of this image."""
        return length * math.sqrt(self.ids.size) / _REFERENCE


@dataclass(frozen=True, slots=True)
class Style:
    """How a drawing is finished.

    shaded: whether light, shadow and noise are added before. outlined: whether every object has an
    ink line. shows_colors: whether the color words of objects still hold.
    """

    finish: Callable[[Picture], Picture]
    shaded: bool = True
    outlined: bool = False
    shows_colors: bool = True


def _nothing(picture: Picture) -> Picture:
    return picture


def _noise(picture: Picture, cell: float, stretch: float = 1.0) -> NDArray[np.float32]:
    """Smooth noise (H, W) in [-1, 1]: cells of ``cell`` px at 192 px, ``stretch`` times wider."""
    height, width = picture.ids.shape
    rows = max(2, round(height / picture.px(cell)))
    columns = max(2, round(width / picture.px(cell * stretch)))
    coarse = picture.rng.random((rows, columns), np.float32) * 2 - 1
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image, np.float32)


def _edges(ids: Ids, width: int) -> NDArray[np.bool_]:
    """Pixels (H, W) at most about ``width`` px from the border between two items."""
    edge = np.zeros(ids.shape, bool)
    edge[1:] |= ids[1:] != ids[:-1]
    edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    for step in range(1, width):
        grown = edge.copy()
        if step % 2:
            grown[:-1] |= edge[1:]
            grown[:, :-1] |= edge[:, 1:]
        else:
            grown[1:] |= edge[:-1]
            grown[:, 1:] |= edge[:, :-1]
        edge = grown
    return edge


def _ink(picture: Picture) -> Picture:
    """A dark line around everything."""
    edge = _edges(picture.ids, max(1, round(picture.px(picture.rng.uniform(0.7, 2.2)))))
    dark = picture.pixels * np.float32(picture.rng.uniform(0, 0.35))
    return replace(picture, pixels=np.where(edge[..., None], dark, picture.pixels))


def _hatched(picture: Picture) -> Picture:
    """Parallel strokes, in another direction on every item."""
    rng, (height, width) = picture.rng, picture.ids.shape
    angles = rng.uniform(0, math.pi, 256).astype(np.float32)
    period = 2 * math.pi / picture.px(rng.uniform(3.0, 6.0))
    table = np.stack([np.cos(angles), np.sin(angles)], -1)[picture.ids] * np.float32(period)
    y, x = np.ogrid[:height, :width]
    wave = np.sin(table[..., 0] * x + table[..., 1] * y) + 0.5 * _noise(picture, 6)
    stroke = (wave > rng.uniform(0.1, 0.6))[..., None]
    paper = 255 - (255 - picture.pixels) * np.float32(rng.uniform(0.4, 1.0))
    return replace(picture, pixels=np.where(stroke, picture.pixels * np.float32(0.72), paper))


def _textured(picture: Picture) -> Picture:
    """Grain, blotches or fibers, of another strength on every item."""
    rng = picture.rng
    fine, fibers = _noise(picture, rng.uniform(1, 4)), _noise(picture, 1.2, rng.uniform(4, 12))
    blotches = _noise(picture, rng.uniform(8, 20))
    weights = rng.uniform(0, 0.22, (256, 3)).astype(np.float32)
    weights *= rng.random((256, 3)) < 0.6
    table = weights[picture.ids]
    factor = 1 + table[..., 0] * fine + table[..., 1] * fibers + table[..., 2] * blotches
    return replace(picture, pixels=picture.pixels * factor[..., None])


def _pixelated(picture: Picture) -> Picture:
    """Large square pixels, whose ids are those of their centers."""
    height, width = picture.ids.shape
    side = max(1, round(picture.px(picture.rng.uniform(1.6, 3.8))))
    rows, columns = math.ceil(height / side), math.ceil(width / side)
    y = np.minimum(np.arange(rows) * side + side // 2, height - 1)
    x = np.minimum(np.arange(columns) * side + side // 2, width - 1)
    soft = _blur(picture.pixels, side * 0.3)[np.ix_(y, x)]
    if picture.rng.random() < 0.5:  # few colors
        step = picture.rng.choice((17, 25, 36))
        soft = np.round(soft / step) * np.float32(step)
    big = (np.arange(height) // side)[:, None], (np.arange(width) // side)[None]
    return replace(picture, pixels=soft[big], ids=picture.ids[np.ix_(y, x)][big])


def _painted(picture: Picture) -> Picture:
    """Wavering edges and brush strokes."""
    rng = picture.rng
    moved = _displaced(picture, rng.uniform(0.6, 2.0), 5)
    strokes = _noise(moved, 1.5, rng.uniform(4, 10)) + _noise(moved, 3, 3)
    pixels = moved.pixels * (1 + np.float32(rng.uniform(0.03, 0.1)) * strokes[..., None])
    tint = np.stack([_noise(moved, 12) for _ in range(3)], -1) * np.float32(rng.uniform(2, 12))
    return replace(moved, pixels=_blur(pixels + tint, moved.px(0.5)))


def _displaced(picture: Picture, length: float, cell: float) -> Picture:
    """Pixels and ids moved by smooth noise, at most about ``length`` px at 192 px."""
    height, width = picture.ids.shape
    reach = picture.px(length)
    y, x = np.ogrid[:height, :width]
    ys = np.clip(np.rint(y + _noise(picture, cell) * reach), 0, height - 1).astype(np.intp)
    xs = np.clip(np.rint(x + _noise(picture, cell) * reach), 0, width - 1).astype(np.intp)
    return replace(picture, pixels=picture.pixels[ys, xs], ids=picture.ids[ys, xs])


def _gray(picture: Picture) -> Picture:
    """Without colors, in some scenes sepia."""
    luma = (picture.pixels @ _LUMA)[..., None]
    warm = (1.06, 1.0, 0.86) if picture.rng.random() < 0.3 else (1.0, 1.0, 1.0)
    return replace(picture, pixels=luma * np.array(warm, np.float32))


def _tinted(picture: Picture) -> Picture:
    """Another palette: paler or richer colors, another contrast, a colored light."""
    rng = picture.rng
    luma = (picture.pixels @ _LUMA)[..., None]
    pixels = luma + (picture.pixels - luma) * np.float32(rng.uniform(0.6, 1.4))
    contrast, middle = rng.uniform(0.65, 1.25), rng.uniform(110, 146)
    pixels = (pixels - 128) * np.float32(contrast) + np.float32(middle)
    return replace(picture, pixels=pixels * rng.uniform(0.86, 1.1, 3).astype(np.float32))


def _jpeg(picture: Picture) -> Picture:
    buffer = io.BytesIO()
    _image(picture.pixels).save(buffer, "JPEG", quality=int(picture.rng.integers(6, 40)))
    return replace(picture, pixels=np.asarray(Image.open(buffer), np.float32))


def _soft(picture: Picture) -> Picture:
    return replace(picture, pixels=_blur(picture.pixels, picture.px(picture.rng.uniform(0.6, 1.7))))


def _paper(picture: Picture) -> Picture:
    """Ink that does not cover quite, on grained paper."""
    rng = picture.rng
    grain = rng.standard_normal(picture.ids.shape, np.float32) * np.float32(rng.uniform(4, 16))
    grain += _noise(picture, 3) * np.float32(rng.uniform(0, 12))
    cream = np.array([250, 246, 232], np.float32)
    ink = np.float32(rng.uniform(0.75, 1.0))
    pixels = picture.pixels * ink + cream * (1 - ink)
    return replace(picture, pixels=pixels + grain[..., None])


def _low_poly(picture: Picture) -> Picture:
    """Triangles of one color each; edges of items stay."""
    height, width = picture.ids.shape
    cell = picture.px(picture.rng.uniform(7, 13))
    rows, columns = max(1, math.ceil(height / cell)), max(1, math.ceil(width / cell))
    jitter = picture.rng.uniform(-0.35, 0.35, (rows + 1, columns + 1, 2))
    points = np.indices((rows + 1, columns + 1)).transpose(1, 2, 0) + jitter
    ys, xs = (points[..., axis] * cell for axis in (0, 1))
    image = Image.new("I", (width, height))
    pen = ImageDraw.Draw(image)
    flips = picture.rng.random((rows, columns)) < 0.5
    for row in range(rows):
        for column in range(columns):
            a, b, c, d = (
                (float(xs[row + i, column + j]), float(ys[row + i, column + j]))
                for i, j in ((0, 0), (0, 1), (1, 1), (1, 0))
            )
            number = 2 * (row * columns + column)
            pen.polygon((a, b, d) if flips[row, column] else (a, b, c), fill=number)
            pen.polygon((b, c, d) if flips[row, column] else (a, c, d), fill=number + 1)
    cells = np.asarray(image, np.int64) * 256 + picture.ids
    counts = np.maximum(np.bincount(cells.ravel()), 1)
    tones = 1 + picture.rng.uniform(-0.1, 0.1, len(counts)).astype(np.float32)
    bands = [
        (np.bincount(cells.ravel(), picture.pixels[..., band].ravel()) / counts * tones)[cells]
        for band in range(3)
    ]
    return replace(picture, pixels=np.stack(bands, -1).astype(np.float32))


def _inverted(picture: Picture) -> Picture:
    """A negative, or the bands exchanged."""
    if picture.rng.random() < 0.5:
        return replace(picture, pixels=255 - picture.pixels)
    order = ((1, 2, 0), (2, 0, 1), (2, 1, 0))[picture.rng.integers(3)]
    return replace(picture, pixels=picture.pixels[..., order])


def _halftone(picture: Picture) -> Picture:
    """Dots that are larger where the drawing is darker."""
    height, width = picture.ids.shape
    y, x = np.ogrid[:height, :width]
    turn, scale = picture.rng.uniform(0.3, 1.2), math.pi / picture.px(picture.rng.uniform(1.6, 2.6))
    across = (math.cos(turn) * x + math.sin(turn) * y) * scale
    down = (math.cos(turn) * y - math.sin(turn) * x) * scale
    screen = (np.cos(across) + np.cos(down)) * 0.25 + 0.5
    dots = (picture.pixels @ _LUMA / 255 < screen)[..., None]
    pale = 255 - (255 - picture.pixels) * np.float32(0.55)
    return replace(picture, pixels=np.where(dots, picture.pixels * np.float32(0.62), pale))


def _watercolor(picture: Picture) -> Picture:
    """Paint that runs: wavering, uneven, darker along the edges, on white paper."""
    rng = picture.rng
    moved = _displaced(picture, rng.uniform(1.5, 3.0), 8)
    edge = _edges(moved.ids, max(1, round(moved.px(2)))).astype(np.float32) * 255
    rim = _blur(edge[..., None].repeat(3, -1), moved.px(1.2))[..., :1] / 255
    density = 0.72 + 0.25 * _noise(moved, 14)[..., None] + 0.1 * _noise(moved, 2)[..., None]
    ink = 255 - _blur(moved.pixels, moved.px(1.0))
    return replace(moved, pixels=250 - ink * (density + 0.35 * rim))


def _sketch(picture: Picture) -> Picture:
    """Pencil: lines where the tone changes, pale tones between."""
    luma = picture.pixels @ _LUMA
    soft = _blur(luma[..., None].repeat(3, -1), picture.px(1.5))[..., 0]
    lines = np.clip(np.abs(luma - soft) * picture.rng.uniform(3, 6), 0, 190)
    lines[_edges(picture.ids, max(1, round(picture.px(1))))] = 190
    page = 225 + 0.12 * luma - lines + 8 * _noise(picture, 1.5)
    return replace(picture, pixels=page[..., None].repeat(3, -1).astype(np.float32))


def _blur(pixels: Pixels, radius: float) -> Pixels:
    image = _image(pixels).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(image, np.float32)


def _image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


STYLES: Mapping[str, Style] = MappingProxyType(
    {
        "shaded": Style(_nothing),
        "flat": Style(_nothing, shaded=False),
        "outlined": Style(_ink, outlined=True),
        "hatched": Style(_hatched, shaded=False),
        "textured": Style(_textured),
        "pixelated": Style(_pixelated),
        "painted": Style(_painted),
        "gray": Style(_gray, shows_colors=False),
        "tinted": Style(_tinted),
        "jpeg": Style(_jpeg),
        "soft": Style(_soft),
        "paper": Style(_paper, shaded=False),
        "low-poly": Style(_low_poly),
        "inverted": Style(_inverted, shows_colors=False),
        "halftone": Style(_halftone, shaded=False),
        "watercolor": Style(_watercolor, shaded=False),
        "sketch": Style(_sketch, shows_colors=False),
    }
)


def styled(
    pixels: NDArray[np.uint8], ids: Ids, styles: tuple[str, ...], seed: int
) -> tuple[NDArray[np.uint8], Ids]:
    """Pixels (H, W, 3) and ids (H, W) after these styles in turn; seed: of all their choices."""
    if all(STYLES[name].finish is _nothing for name in styles):
        return pixels, ids
    picture = Picture(pixels.astype(np.float32), ids, np.random.default_rng(seed))
    for name in styles:
        picture = STYLES[name].finish(picture)
        picture = replace(picture, pixels=np.clip(picture.pixels, 0, 255))
    return picture.pixels.astype(np.uint8), picture.ids
