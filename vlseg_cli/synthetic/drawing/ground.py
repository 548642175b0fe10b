"""Backgrounds: which painter a scene type has, and the painters of those that came later.

``background`` has the painters of the first scene types and everything that they are made of.
"""

from vlseg_cli.synthetic.categories import COLORS
from vlseg_cli.synthetic.drawing.background import (
    LEFT,
    PAINTERS,
    RIGHT,
    Brushes,
    paint_band,
    paint_checks,
    paint_meadow,
    paint_mountains,
    paint_sky,
    paint_specks,
    paint_stripes,
    paint_tiles,
    paint_waves,
    stuff_brushes,
)
from vlseg_cli.synthetic.drawing.canvas import (
    RGB,
    WHITE,
    Brush,
    DrawingCanvas,
    jittered,
    mixed,
    shaded,
)
from vlseg_cli.synthetic.drawing.plan import ScenePlan

_SOILS: tuple[RGB, ...] = ((125, 90, 60), (150, 115, 80), (95, 70, 55), (165, 110, 75))
_TREES: tuple[RGB, ...] = ((45, 95, 55), (60, 110, 60), (80, 105, 50), (50, 80, 70), (150, 110, 50))
_LAKES: tuple[RGB, ...] = ((70, 130, 170), (95, 160, 185), (60, 110, 135))
_SNOWS: tuple[RGB, ...] = ((240, 243, 248), (228, 235, 245), (245, 240, 240))
# Typical colors of plain regions; any color where the table has none.
_PLAIN: dict[str, tuple[RGB, ...]] = {
    "wall": ((225, 215, 195), (200, 212, 222), (205, 215, 195), (215, 205, 225), (190, 190, 188)),
    "floor": ((170, 130, 90), (130, 95, 65), (150, 150, 148)),
    "sky": ((150, 200, 235), (120, 175, 225), (240, 205, 175)),
    "grass": ((105, 155, 70), (130, 170, 85), (90, 130, 60)),
    "sand": ((225, 200, 150), (210, 185, 140)),
    "sea": ((50, 120, 165), (65, 150, 170), (45, 90, 130)),
    "road": ((92, 92, 97), (75, 75, 80)),
    "pavement": ((172, 168, 162), (150, 148, 145)),
    "carpet": ((150, 60, 60), (70, 90, 140), (110, 120, 90), (160, 130, 100), (90, 70, 110)),
    "snow": _SNOWS,
    "soil": _SOILS,
    "lake": _LAKES,
    "forest": _TREES,
}


def paint_background(canvas: DrawingCanvas, plan: ScenePlan, height: int, width: int) -> None:
    """Cover the whole canvas."""
    brushes = stuff_brushes(canvas, plan, height, width)
    if plan.scene_type in PAINTERS:
        PAINTERS[plan.scene_type](brushes, plan.levels)
    elif plan.scene_type == "underwater":
        _underwater(brushes, plan.levels)
    elif "sky" in brushes and len(brushes) > 2:
        _open_land(brushes, plan.levels)
    else:
        _plain(brushes, plan.levels)


def _open_land(brushes: Brushes, levels: tuple[float, ...]) -> None:
    """Sky over grass, snow or soil; before it mountains, a forest, a lake, a road."""
    horizon, shore = levels
    rng = brushes["sky"].rng
    paint_sky(brushes, horizon)
    if "mountain" in brushes:
        paint_mountains(brushes["mountain"], horizon)
    if "forest" in brushes:
        _forest(brushes["forest"], horizon, rng.uniform(0.3, 0.8) * horizon)
    if "grass" in brushes:
        paint_meadow(brushes["grass"], horizon, 1)
    if "snow" in brushes:
        _snow(brushes["snow"], horizon, 1)
    if "soil" in brushes:
        _soil(brushes["soil"], horizon if "grass" not in brushes else (horizon + 1) / 2, 1)
    if "pavement" in brushes:
        paint_band(brushes["pavement"], shaded((172, 168, 162), rng.uniform(0.8, 1.1)), horizon, 1)
    if "lake" in brushes:
        _lake(brushes["lake"], horizon + 0.02, shore)
    if "road" in brushes:
        u, wide = rng.uniform(0.2, 0.8), rng.uniform(0.15, 0.3)
        foot = max(horizon, shore)
        brushes["road"].poly(
            shaded((110, 108, 106), rng.uniform(0.8, 1.2)),
            *((u - 0.03, foot), (u + 0.03, foot), (u + wide, 1), (u - wide, 1)),
        )


def _forest(b: Brush, foot: float, tall: float) -> None:
    """A wall of trees, pointed or round."""
    rng, color = b.rng, b.rng.choice(_TREES)
    pointed, step = rng.bernoulli(0.5), rng.uniform(0.05, 0.09)
    paint_band(b, color, foot - tall * 0.45, foot + 0.03)
    for row in (1.0, 0.75):
        u = LEFT
        while u < RIGHT:
            tone, top = (
                shaded(color, rng.uniform(0.8, 1.15)),
                foot - tall * row * rng.uniform(0.8, 1.1),
            )
            if pointed:
                b.poly(tone, (u - step, foot), (u, top), (u + step, foot))
            else:
                b.oval(tone, u, (top + foot) / 2, step, (foot - top) / 2)
            u += step * rng.uniform(0.8, 1.3)


def _snow(b: Brush, v0: float, v1: float) -> None:
    color = b.rng.choice(_SNOWS)
    paint_band(b, color, v0, v1)
    for _ in range(4):
        u, v = b.rng.uniform(LEFT, RIGHT), b.rng.uniform(v0 + 0.03, v1)
        b.oval(shaded(color, 0.94), u, v, b.rng.uniform(0.1, 0.35), 0.02)


def _soil(b: Brush, v0: float, v1: float) -> None:
    """Bare earth, with clods or furrows that meet at the horizon."""
    color = b.rng.choice(_SOILS)
    paint_band(b, color, v0, v1)
    if b.rng.bernoulli(0.5):
        for k in range(-12, 24):
            b.bar(shaded(color, 0.8), 0.012, (0.5 + (k / 12 - 0.5) * 0.5, v0), (k / 6 - 0.5, v1))
    else:
        paint_specks(b, shaded(color, 0.8), v0 + 0.02, v1, 40, 0.01)


def _lake(b: Brush, v0: float, v1: float) -> None:
    rng, color = b.rng, b.rng.choice(_LAKES)
    u, wide = rng.uniform(0.3, 0.7), rng.uniform(0.4, 0.9)
    b.oval(color, u, (v0 + v1) / 2, wide, (v1 - v0) / 2)
    for _ in range(9):
        x, y = u + rng.uniform(-0.5, 0.5) * wide, v0 + (v1 - v0) * rng.uniform(0.2, 0.8)
        b.bar(mixed(color, WHITE, 0.35), 0.006, (x, y), (x + 0.07, y))


def _underwater(brushes: Brushes, levels: tuple[float, ...]) -> None:
    paint_waves(brushes["sea"], 0, 1)
    sand = brushes["sand"]
    color = sand.rng.choice(_PLAIN["sand"])
    edge = [(LEFT + k * 0.3, levels[0] + sand.rng.uniform(-0.02, 0.02)) for k in range(7)]
    sand.poly(color, *edge, (RIGHT, 1), (LEFT, 1))


def _plain(brushes: Brushes, levels: tuple[float, ...]) -> None:
    """One region, or two above each other: even, graded or with a pattern."""
    top = 0.0
    for place, (name, b) in enumerate(brushes.items(), 1):
        rng = b.rng
        color = rng.choice(_PLAIN[name]) if name in _PLAIN else _any(b)
        bottom = 1.0 if place == len(brushes) else levels[0]
        kind = rng.choice(("even", "even", "graded", "tiles", "stripes", "checks", "split", "dots"))
        paint_band(b, color, top, bottom)
        if kind == "graded":
            other = mixed(color, WHITE, 0.6) if rng.bernoulli(0.5) else shaded(color, 0.5)
            for k in range(16):
                v = top + (bottom - top) * k / 16
                paint_band(b, mixed(color, other, k / 15), v, bottom)
        elif kind == "tiles":
            paint_tiles(b, shaded(color, 0.86), top, bottom, rng.uniform(0.06, 0.2))
        elif kind == "stripes" and place == 1:
            paint_stripes(b, shaded(color, 0.9), bottom, rng.uniform(0.05, 0.2))
        elif kind == "checks":
            paint_checks(b, shaded(color, 0.88), top)
        elif kind == "split" and not name:
            b.poly(_any(b), (LEFT, rng.random()), (RIGHT, rng.random()), (RIGHT, 1), (LEFT, 1))
        elif kind == "dots":
            paint_specks(b, shaded(color, 0.8), top, bottom, 60, rng.uniform(0.005, 0.02))
        top = bottom


def _any(b: Brush) -> RGB:
    """Some color, more often a pale one."""
    color = jittered(b.rng.choice(tuple(COLORS)), b.rng)
    return mixed(color, WHITE, b.rng.choice((0.0, 0.5, 0.7, 0.85)))
