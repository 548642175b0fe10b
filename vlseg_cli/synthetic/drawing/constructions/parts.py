"""The parts of a drawing: read from their notation, painted with a brush.

``vlseg_cli.synthetic.drawing.constructions`` describes the notation.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vlseg_cli.synthetic.categories import COLORS
from vlseg_cli.synthetic.drawing.canvas import (
    BLACK,
    GLASS,
    RGB,
    SKIN,
    STEEL,
    WHITE,
    WOOD,
    Brush,
    Point,
    jittered,
    shaded,
)
from vlseg_cli.synthetic.rng import DrawingRng

NAMED: Mapping[str, RGB] = {
    **COLORS,
    "white": WHITE,
    "black": BLACK,
    "steel": STEEL,
    "iron": (85, 86, 90),
    "glass": GLASS,
    "wood": WOOD,
    "bark": (105, 75, 50),
    "leaf": (75, 140, 60),
    "cream": (236, 222, 190),
    "gold": (225, 175, 60),
    "skin": SKIN[0],
    "tan": SKIN[2],
    "umber": SKIN[3],
    "rose": (232, 165, 160),
    "beak": (235, 150, 50),
    "glow": (255, 235, 150),
    "screen": (60, 110, 165),
    "ink": (30, 34, 52),
    "tire": (48, 48, 52),
}
_SHADES = {"main": 1.0, "dark": 0.72, "light": 1.3, "deep": 0.45, "pale": 1.6}
_BRANCH = re.compile(r"[a-z]:$")
_RING_CORNERS = 18
_WITH_RADII = ("oval", "ring")  # their second point is no place
_SMOOTH_STEPS = 4  # corners per point of a smooth line


class NotationError(ValueError):
    """A part that cannot be read; the message quotes its line."""


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a drawing, as ``constructions`` describes it.

    chance: of being drawn. jitter: largest movement. times, step: repetitions, and the movement
    from each to the next. branch: letter of the alternative it belongs to, or ''.
    """

    primitive: str
    color: str
    points: tuple[Point, ...]
    numbers: tuple[float, ...]
    chance: float = 1.0
    jitter: float = 0.0
    times: tuple[int, int] = (1, 1)
    step: Point = (0.0, 0.0)
    mirrored: bool = False
    branch: str = ""


@dataclass(frozen=True, slots=True)
class PartList:
    """The parts of a drawing in painting order. colors: its own names, with their choices."""

    parts: tuple[Part, ...]
    colors: Mapping[str, tuple[str, ...]]

    def paint(self, brush: Brush) -> None:
        """Fill the brush's unit box."""
        rng = brush.rng
        branches = sorted({part.branch for part in self.parts} - {""})
        branch = rng.choice(branches) if branches else ""
        own = {name: rng.choice(choices) for name, choices in self.colors.items()}
        tone = rng.uniform(0.85, 1.1)
        for part in self.parts:
            if part.branch in ("", branch) and (part.chance == 1 or rng.bernoulli(part.chance)):
                _paint(brush, part, own, tone, rng)


def read_parts(text: str) -> PartList:
    """Read a drawing. Raises NotationError for a line that is none."""
    parts: list[Part] = []
    colors: dict[str, tuple[str, ...]] = {}
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        name, _, choices = line.partition(" = ")
        if choices:
            colors[name] = tuple(choices.split("|"))
        else:
            parts.append(_part(line))
    return PartList(tuple(parts), colors)


def _part(line: str) -> Part:
    words = line.split()
    try:
        branch = words.pop(0)[0] if _BRANCH.match(words[0]) else ""
        primitive, color, *rest = words
        points = tuple(_point(word) for word in rest if "," in word and word[0] not in "*")
        numbers = tuple(float(word) for word in rest if "," not in word and word[0] not in "?~m")
        _, (least, most), count = _PRIMITIVES[primitive]
        if not least <= len(points) <= most or len(numbers) != count:
            raise ValueError(primitive)
        options = {word[0]: word[1:] for word in rest if word[0] in "?~*m"}
        times, _, step = options.get("*", "1:0,0").partition(":")
        low, _, high = times.partition("-")
        return Part(
            primitive,
            color,
            points,
            numbers,
            float(options.get("?", 1)),
            float(options.get("~", 0)),
            (int(low), int(high or low)),
            _point(step),
            "m" in options,
            branch,
        )
    except (KeyError, ValueError) as error:
        raise NotationError(f"not a part of a drawing: {line!r}") from error


def _point(word: str) -> Point:
    x, y = word.split(",")
    return float(x), float(y)


def _paint(brush: Brush, part: Part, own: Mapping[str, str], tone: float, rng: DrawingRng) -> None:
    x, y = (rng.uniform(-part.jitter, part.jitter) if part.jitter else 0.0 for _ in range(2))
    draw = _PRIMITIVES[part.primitive][0]
    for _ in range(rng.integer(*part.times) if part.times[1] > 1 else 1):
        moved = part.points[:1] if part.primitive in _WITH_RADII else part.points
        color = _color(part.color, brush, own, tone, rng)
        radii = part.points[len(moved) :]
        points = [(u + x, v + y) for u, v in moved]
        draw(brush, color, [*points, *radii], part.numbers)
        if part.mirrored:
            draw(brush, color, [*((1 - u, v) for u, v in points), *radii], part.numbers)
        x, y = x + part.step[0], y + part.step[1]


def _color(word: str, brush: Brush, own: Mapping[str, str], tone: float, rng: DrawingRng) -> RGB:
    """tone: factor on all colors but those of the color word."""
    if "|" in word:
        word = rng.choice(word.split("|"))
    name, _, shade = word.partition("*")
    if name in own:
        name, _, own_shade = own[name].partition("*")
        shade = shade or own_shade
    if name in _SHADES:
        rgb = brush.main if name == "main" else shaded(brush.main, _SHADES[name])
    elif name == "any":
        rgb = jittered(rng.choice(tuple(COLORS)), rng)
    else:
        rgb = shaded(NAMED[name], tone)
    return shaded(rgb, float(shade)) if shade else rgb


def _smooth(points: list[Point], closed: bool) -> list[Point]:
    """A Catmull-Rom spline through the points."""
    count = len(points)
    if count < 3:
        return points
    found = []
    for k in range(count if closed else count - 1):
        if closed:
            a, b, c, d = (points[(k + shift) % count] for shift in (-1, 0, 1, 2))
        else:
            b, c = points[k], points[k + 1]
            a, d = points[max(0, k - 1)], points[min(count - 1, k + 2)]
        for step in range(_SMOOTH_STEPS):
            t = step / _SMOOTH_STEPS
            wa, wb = t * (-1 + t * (2 - t)) / 2, 1 + t * t * (1.5 * t - 2.5)
            wc, wd = t * (1 + t * (4 - 3 * t)) / 2, t * t * (t - 1) / 2
            found.append(
                (
                    wa * a[0] + wb * b[0] + wc * c[0] + wd * d[0],
                    wa * a[1] + wb * b[1] + wc * c[1] + wd * d[1],
                )
            )
    return found if closed else [*found, points[-1]]


_Points = list[Point]
_Numbers = tuple[float, ...]


def _corners(points: _Points) -> tuple[float, float, float, float]:
    (u0, v0), (u1, v1) = points
    return min(u0, u1), v0, max(u0, u1), v1


def _ring(b: Brush, color: RGB, points: _Points, numbers: _Numbers) -> None:
    (u, v), (rx, ry) = points
    half = numbers[0] / 2
    turns = [2 * math.pi * k / _RING_CORNERS for k in range(_RING_CORNERS + 1)]
    edges = [
        (rx + half / b.aspect, ry + half, turns),
        (rx - half / b.aspect, ry - half, turns[::-1]),
    ]
    around = [(u + x * math.cos(t), v + y * math.sin(t)) for x, y, ts in edges for t in ts]
    b.poly(color, *around)


def _wheel(b: Brush, color: RGB, points: _Points, numbers: _Numbers) -> None:
    b.disc(NAMED["tire"], *points[0], numbers[0])
    b.disc(color, *points[0], numbers[0] * 0.55)


def _eye(b: Brush, color: RGB, points: _Points, numbers: _Numbers) -> None:
    (u, v), radius = points[0], numbers[0]
    b.disc(color, u, v, radius)
    b.disc(WHITE, u - radius * 0.3 / b.aspect, v - radius * 0.3, radius * 0.35)


def _grid(b: Brush, color: RGB, points: _Points, numbers: _Numbers) -> None:
    u0, v0, u1, v1 = _corners(points)
    columns, rows, gap = int(numbers[0]), int(numbers[1]), numbers[2]
    wide, tall = (u1 - u0) / columns, (v1 - v0) / rows
    for row in range(rows):
        for column in range(columns):
            u, v = u0 + column * wide, v0 + row * tall
            b.rect(
                color, u + gap * wide, v + gap * tall, u + wide * (1 - gap), v + tall * (1 - gap)
            )


# By name: how it is painted, its smallest and largest number of points, and of numbers.
_Painter = Callable[[Brush, RGB, _Points, _Numbers], None]
_PRIMITIVES: dict[str, tuple[_Painter, tuple[int, int], int]] = {
    "poly": (lambda b, color, points, _: b.poly(color, *points), (3, 40), 0),
    "blob": (lambda b, color, points, _: b.poly(color, *_smooth(points, True)), (3, 40), 0),
    "bar": (lambda b, color, points, n: b.bar(color, n[0], *points), (2, 40), 1),
    "curve": (lambda b, color, points, n: b.bar(color, n[0], *_smooth(points, False)), (2, 40), 1),
    "rect": (lambda b, color, points, _: b.rect(color, *_corners(points)), (2, 2), 0),
    "slab": (lambda b, color, points, n: b.slab(color, *_corners(points), n[0]), (2, 2), 1),
    "oval": (lambda b, color, points, _: b.oval(color, *points[0], *points[1]), (2, 2), 0),
    "disc": (lambda b, color, points, n: b.disc(color, *points[0], *n), (1, 1), 1),
    "ring": (_ring, (2, 2), 1),
    "wheel": (_wheel, (1, 1), 1),
    "eye": (_eye, (1, 1), 1),
    "grid": (_grid, (2, 2), 3),
}
