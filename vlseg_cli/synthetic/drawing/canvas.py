"""The drawing surface: every stroke writes the color and the owner of the pixels that it covers.

The canvas has twice the resolution and four bands: red, green, blue, owner. Colors are averaged
over 2 x 2 cells afterwards (anti-aliasing), owners are sampled; later strokes cover earlier ones,
so visible masks are exact.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vlseg_cli.synthetic.categories import COLORS
from vlseg_cli.synthetic.rng import DrawingRng

RGB = tuple[int, int, int]

WHITE: RGB = (240, 240, 236)
BLACK: RGB = (38, 38, 42)
STEEL: RGB = (165, 168, 172)
GLASS: RGB = (165, 200, 222)
WOOD: RGB = (140, 95, 55)
SKIN: tuple[RGB, ...] = ((240, 205, 175), (220, 175, 140), (175, 120, 85), (115, 75, 52))
_JITTER = 16.0
_NEUTRAL = ("white", "grey", "black")


def nearest_word(rgb: RGB) -> str:
    """The color word whose RGB is closest."""
    return min(COLORS, key=lambda word: _distance(rgb, COLORS[word]))


def jittered(word: str, rng: DrawingRng) -> RGB:
    """A random variation of a named color that is still nearest to that name."""
    start = COLORS[word]
    strength, jitter = rng.uniform(0.88, 1.08), _JITTER * (0.3 if word in _NEUTRAL else 1)
    moved = _clipped(*(part * strength + rng.uniform(-jitter, jitter) for part in start))
    return moved if nearest_word(moved) == word else start


def shaded(rgb: RGB, factor: float) -> RGB:
    """Darker (factor < 1) or, towards white, lighter (factor > 1; 2 is white)."""
    if factor <= 1:
        return _clipped(*(part * factor for part in rgb))
    return mixed(rgb, (255, 255, 255), factor - 1)


def mixed(one: RGB, other: RGB, share: float) -> RGB:
    """Linear interpolation: ``share`` of the other color."""
    return _clipped(*(a + (b - a) * share for a, b in zip(one, other, strict=True)))


def _clipped(red: float, green: float, blue: float) -> RGB:
    r, g, b = (min(255, max(0, round(level))) for level in (red, green, blue))
    return r, g, b


def _distance(one: RGB, other: RGB) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


Point = tuple[float, float]
OVERSAMPLING = 2
_CIRCLE = {
    corners: tuple(
        (math.cos(2 * math.pi * k / corners), math.sin(2 * math.pi * k / corners))
        for k in range(corners)
    )
    for corners in (10, 16, 28)
}


class DrawingCanvas:
    """An image of ``height`` x ``width`` pixels in progress."""

    def __init__(self, height: int, width: int) -> None:
        size = (width * OVERSAMPLING, height * OVERSAMPLING)
        self.image = Image.new("RGBX", size)
        self.pen = ImageDraw.Draw(self.image)

    def pixels(self) -> NDArray[np.uint8]:
        """The anti-aliased colors: (H, W, 3) uint8."""
        return np.asarray(self.image.reduce(OVERSAMPLING))[..., :3]

    def owners(self) -> NDArray[np.uint8]:
        """The owner of each pixel: (H, W) uint8, sampled next to the cell's center."""
        return np.ascontiguousarray(np.asarray(self.image.getchannel(3))[1::2, 1::2])

    def painted(self, owner: int, box: tuple[float, float, float, float]) -> float:
        """Number of pixels that ``owner`` has inside ``box`` (x0, y0, x1, y1 px)."""
        x0, y0 = max(0, int(box[0]) * OVERSAMPLING), max(0, int(box[1]) * OVERSAMPLING)
        x1 = min(self.image.width, (int(box[2]) + 2) * OVERSAMPLING)
        y1 = min(self.image.height, (int(box[3]) + 2) * OVERSAMPLING)
        if x1 <= x0 or y1 <= y0:
            return 0.0
        band = self.image.crop((x0, y0, x1, y1)).getchannel(3)
        return band.histogram()[owner] / OVERSAMPLING**2


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a unit box lies in the image, px. angle: clockwise about its foot, degrees."""

    left: float
    top: float
    width: float
    height: float
    mirrored: bool = False
    angle: float = 0.0


@dataclass(frozen=True, slots=True)
class Warp:
    """A smooth deformation of the unit box that keeps its corners about where they are.

    power_x, power_y: exponents that move the inside to one side. shear: shift of the upper edge to
    the right. taper: how much narrower the upper edge is than the lower. bend, phase: amplitude and
    start of a wave that bends what is upright.
    """

    power_x: float
    power_y: float
    shear: float
    taper: float
    bend: float
    phase: float

    @classmethod
    def drawn(cls, rng: DrawingRng) -> "Warp":
        """A random deformation that leaves every object recognizable."""
        across, down = math.exp(rng.uniform(-0.22, 0.22)), math.exp(rng.uniform(-0.22, 0.22))
        shear, taper = rng.uniform(-0.1, 0.1), rng.uniform(-0.16, 0.16)
        return cls(across, down, shear, taper, rng.uniform(0, 0.035), rng.uniform(0, 6.3))

    def moved(self, points: Iterable[Point]) -> list[Point]:
        """Where the points of the unit box lie after the deformation."""
        found = []
        for u, v in points:
            across = u**self.power_x if 0 < u < 1 else u
            down = v**self.power_y if 0 < v < 1 else v
            narrow = 1 - self.taper * (0.5 - down)
            shift = self.shear * (1 - down) + self.bend * math.sin(self.phase + 4 * down)
            found.append((0.5 + (across - 0.5) * narrow + shift, down))
        return found


class Brush:
    """Paints one owner in its unit box: (0, 0) is top left, (1, 1) bottom right.

    main: the color of the owner's color word; dark, light: its shades. rng: the owner's random
    numbers. Widths of bars are shares of the box's height.
    """

    def __init__(
        self,
        canvas: DrawingCanvas,
        owner: int,
        pose: Pose,
        main: RGB = (0, 0, 0),
        rng: DrawingRng | None = None,
        outline: float = 0.0,
        warp: Warp | None = None,
    ) -> None:
        self.owner, self.main, self.rng = owner, main, rng or DrawingRng((0.5,))
        self.dark, self.light = shaded(main, 0.72), shaded(main, 1.3)
        self.aspect = pose.width / pose.height
        self._pen, self._warp = canvas.pen, warp
        self._outline, self._ink = outline, (*shaded(main, 0.35), owner)
        self._tall = pose.height * OVERSAMPLING
        self._place(pose)
        self._x0 = self._y0 = math.inf
        self._x1 = self._y1 = -math.inf

    def _place(self, pose: Pose) -> None:
        """The affine map from the unit box to canvas cells, rotated about the box's foot."""
        turn = math.radians(pose.angle)
        cosine, sine = math.cos(turn), math.sin(turn)
        wide = pose.width * OVERSAMPLING * (-1 if pose.mirrored else 1)
        self._xx, self._xy = wide * cosine, -self._tall * sine
        self._yx, self._yy = wide * sine, self._tall * cosine
        foot_x = (pose.left + pose.width / 2) * OVERSAMPLING
        foot_y = (pose.top + pose.height) * OVERSAMPLING
        self._x = foot_x - 0.5 * self._xx - self._xy
        self._y = foot_y - 0.5 * self._yx - self._yy

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 in px of everything painted so far, also outside the image."""
        scale = OVERSAMPLING
        return self._x0 / scale, self._y0 / scale, self._x1 / scale, self._y1 / scale

    def poly(self, color: RGB, *points: Point) -> None:
        """A filled polygon."""
        self._fill(self._cells(points), color)

    def rect(self, color: RGB, x0: float, y0: float, x1: float, y1: float) -> None:
        """A filled rectangle."""
        self._fill(self._cells(((x0, y0), (x1, y0), (x1, y1), (x0, y1))), color)

    def slab(self, color: RGB, x0: float, y0: float, x1: float, y1: float, round: float) -> None:
        """A rectangle whose corners are cut by ``round`` (share of the box's height)."""
        v = min(round, (y1 - y0) / 2)
        u = min(round / self.aspect, (x1 - x0) / 2)
        a, b = 0.3 * u, 0.3 * v
        self.poly(
            color,
            *((x0 + u, y0), (x1 - u, y0), (x1 - a, y0 + b), (x1, y0 + v)),
            *((x1, y1 - v), (x1 - a, y1 - b), (x1 - u, y1)),
            *((x0 + u, y1), (x0 + a, y1 - b), (x0, y1 - v), (x0, y0 + v), (x0 + a, y0 + b)),
        )

    def oval(self, color: RGB, x: float, y: float, rx: float, ry: float) -> None:
        """A filled ellipse around (x, y)."""
        radius = ry * self._tall
        corners = 10 if radius < 5 else 16 if radius < 16 else 28
        self._fill(self._cells([(x + rx * c, y + ry * s) for c, s in _CIRCLE[corners]]), color)

    def disc(self, color: RGB, x: float, y: float, radius: float) -> None:
        """A filled circle; its radius is a share of the box's height."""
        self.oval(color, x, y, radius / self.aspect, radius)

    def bar(self, color: RGB, width: float, *points: Point) -> None:
        """A stroke through the points, ``width`` of the box's height thick, at least one cell."""
        cells = self._cells(points)
        thick = max(1, int(width * self._tall + 0.5))
        self._pen.line(cells, (*color, self.owner), thick)

    def _cells(self, points: Sequence[Point]) -> list[Point]:
        """Canvas coordinates; ImageDraw truncates them, which is right for cell corners."""
        x, y, xx, xy, yx, yy = self._x, self._y, self._xx, self._xy, self._yx, self._yy
        if self._warp is not None:
            points = self._warp.moved(points)
        cells = [(x + u * xx + v * xy, y + u * yx + v * yy) for u, v in points]
        across, down = [c[0] for c in cells], [c[1] for c in cells]
        self._x0, self._x1 = min(self._x0, *across), max(self._x1, *across)
        self._y0, self._y1 = min(self._y0, *down), max(self._y1, *down)
        return cells

    def _fill(self, cells: list[Point], color: RGB) -> None:
        self._pen.polygon(cells, (*color, self.owner))
        if self._outline:
            self._pen.line([*cells, cells[0]], self._ink, max(1, int(self._outline * 2 + 0.5)))
