"""Painters of the first scene types: walls, skies, floors, water and their textures.

All coordinates are shares of the image; everything extends ``MARGIN`` beyond its sides, so that a
panning camera shows no edge.
"""

import math
from collections.abc import Callable, Mapping

from vlseg_cli.synthetic.drawing.canvas import RGB, WHITE, Brush, DrawingCanvas, Pose, mixed, shaded
from vlseg_cli.synthetic.drawing.plan import ScenePlan
from vlseg_cli.synthetic.rng import DrawingRng
from vlseg_cli.synthetic.scene import GROUND

MARGIN = 0.4
LEFT, RIGHT = -MARGIN, 1 + MARGIN
_WALLS: tuple[RGB, ...] = (
    *((225, 215, 195), (200, 212, 222), (205, 215, 195), (228, 205, 195)),
    *((215, 205, 225), (190, 190, 188), (235, 225, 180), (165, 185, 190)),
)
_FLOORS: tuple[RGB, ...] = (
    *((170, 130, 90), (130, 95, 65), (195, 165, 125), (150, 150, 148)),
    *((190, 175, 165), (110, 105, 105)),
)
_SKIES: tuple[RGB, ...] = (
    *((150, 200, 235), (120, 175, 225), (190, 210, 225), (240, 205, 175), (175, 180, 195)),
)
_SEAS: tuple[RGB, ...] = ((50, 120, 165), (65, 150, 170), (45, 90, 130), (90, 150, 165))
_GRASS: tuple[RGB, ...] = ((105, 155, 70), (130, 170, 85), (90, 130, 60), (160, 165, 85))
_SANDS: tuple[RGB, ...] = ((225, 200, 150), (210, 185, 140), (235, 215, 175))

Brushes = Mapping[str, Brush]


def stuff_brushes(
    canvas: DrawingCanvas, plan: ScenePlan, height: int, width: int
) -> dict[str, Brush]:
    """A brush over the whole canvas per stuff category; ``plan.stuff[i]`` owns id i + 1.

    Without any, one named '' for plain ground.
    """
    rng = DrawingRng(plan.random_numbers)
    pose = Pose(-plan.shift / plan.width * width, 0, width, height)
    owners = {name: number for number, name in enumerate(plan.stuff, 1)} or {"": GROUND}
    return {name: Brush(canvas, number, pose, rng=rng) for name, number in owners.items()}


def _indoor(brushes: Brushes, levels: tuple[float, ...]) -> None:
    wall, floor = brushes["wall"], brushes["floor"]
    rng, line = wall.rng, levels[0]
    color, ground = rng.choice(_WALLS), rng.choice(_FLOORS)
    paint_band(wall, color, 0, line)
    pattern = rng.integer(0, 3)
    if pattern == 0:
        paint_tiles(wall, shaded(color, 0.9), 0, line, rng.uniform(0.07, 0.11))
    elif pattern == 1:
        paint_stripes(wall, shaded(color, 0.93), line, rng.uniform(0.06, 0.12))
    elif pattern == 2:
        paint_band(wall, shaded(color, rng.uniform(0.8, 1.2)), line * 0.62, line)
    if rng.bernoulli(0.25) and "ceiling" not in brushes:  # there, windows are objects
        _window(wall, rng)
    paint_band(floor, ground, line, 1)
    if rng.bernoulli(0.55):
        paint_planks(floor, shaded(ground, 0.84), line)
    elif rng.bernoulli(0.7):
        paint_checks(floor, shaded(ground, rng.uniform(0.82, 0.92)), line)
    if rng.bernoulli(0.3):
        u, v = rng.uniform(0.2, 0.8), (line + 1.1) / 2
        rug = mixed(ground, rng.choice(_WALLS), 0.6)
        carpet = brushes.get("carpet", floor)
        carpet.oval(shaded(rug, 0.8), u, v, 0.34, 0.09)
        carpet.oval(rug, u, v, 0.31, 0.078)
    paint_band(wall, rng.choice((WHITE, shaded(color, 0.75))), line - 0.018, line)
    if "ceiling" in brushes:
        top = levels[1]
        brushes["ceiling"].rect(shaded(color, rng.uniform(1.1, 1.6)), LEFT, 0, RIGHT, top)
        wall.bar(shaded(color, 0.7), 0.006, (LEFT, top), (RIGHT, top))


def _street(brushes: Brushes, levels: tuple[float, ...]) -> None:
    horizon, kerb, verge, near = levels
    sky, pavement, road = brushes["sky"], brushes["pavement"], brushes["road"]
    rng = sky.rng
    paint_sky(brushes, horizon)
    if "grass" in brushes:
        paint_meadow(brushes["grass"], horizon, kerb)
    stone, tar = shaded((172, 168, 162), rng.uniform(0.85, 1.1)), rng.uniform(0.75, 1.2)
    paint_band(pavement, stone, kerb, verge)
    _slabs(pavement, shaded(stone, 0.88), kerb, verge)
    asphalt = shaded((92, 92, 97), tar)
    paint_band(road, asphalt, verge, 1)
    paint_band(pavement, shaded(stone, 0.8), verge - 0.012, verge + 0.006)
    middle = (verge + near) / 2
    u = LEFT + rng.uniform(0, 0.1)
    while u < RIGHT:
        road.poly(
            (225, 222, 210),
            *(
                (u, middle),
                (u + 0.08, middle),
                (u + 0.075, middle + 0.014),
                (u - 0.005, middle + 0.014),
            ),
        )
        u += 0.17
    if near < 1:
        paint_band(pavement, shaded(stone, 0.95), near, 1)
        _slabs(pavement, shaded(stone, 0.85), near, 1.05)


def _field(brushes: Brushes, levels: tuple[float, ...]) -> None:
    horizon = levels[0]
    rng = brushes["sky"].rng
    paint_sky(brushes, horizon)
    if "mountain" in brushes:
        paint_mountains(brushes["mountain"], horizon)
    paint_meadow(brushes["grass"], horizon, 1)
    if "road" in brushes:
        u, bend = rng.uniform(0.2, 0.8), rng.uniform(-0.3, 0.3)
        earth = rng.choice(((165, 135, 100), (120, 118, 115), (185, 160, 120)))
        brushes["road"].poly(
            earth,
            *(
                (u - 0.015, horizon),
                (u + 0.015, horizon),
                (u + bend * 0.6 + 0.09, (horizon + 1) / 2),
            ),
            *(
                (u + bend + 0.24, 1),
                (u + bend - 0.24, 1),
                (u + bend * 0.6 - 0.09, (horizon + 1) / 2),
            ),
        )


def _beach(brushes: Brushes, levels: tuple[float, ...]) -> None:
    horizon, shore = levels
    rng = brushes["sky"].rng
    paint_sky(brushes, horizon)
    if "mountain" in brushes:
        paint_mountains(brushes["mountain"], horizon)
    paint_waves(brushes["sea"], horizon, shore + 0.05)
    sand = brushes["sand"]
    color, phase, swing = rng.choice(_SANDS), rng.uniform(0, 6), rng.uniform(0.005, 0.03)
    edge = [(u / 8, shore + swing * math.sin(phase + u * 0.9)) for u in range(-4, 13)]
    brushes["sea"].bar(WHITE, 0.02, *edge)
    sand.poly(shaded(color, 0.85), *edge, (RIGHT + 0.1, 1), (LEFT - 0.1, 1))
    sand.poly(color, *((u, v + 0.03) for u, v in edge), (RIGHT + 0.1, 1), (LEFT - 0.1, 1))
    paint_specks(sand, shaded(color, 0.88), shore + 0.06, 1, 40, 0.006)


def _harbour(brushes: Brushes, levels: tuple[float, ...]) -> None:
    horizon, quay = levels
    rng = brushes["sky"].rng
    paint_sky(brushes, horizon)
    if "mountain" in brushes:
        paint_mountains(brushes["mountain"], horizon)
    paint_waves(brushes["sea"], horizon, quay + 0.01)
    pavement, stone = brushes["pavement"], shaded((175, 165, 152), rng.uniform(0.8, 1.1))
    paint_band(pavement, stone, quay, 1)
    _slabs(pavement, shaded(stone, 0.87), quay, 1.02)
    paint_band(pavement, shaded(stone, 0.65), quay, quay + 0.022)


def _garden(brushes: Brushes, levels: tuple[float, ...]) -> None:
    horizon, foot = levels
    rng = brushes["sky"].rng
    paint_sky(brushes, horizon)
    if "wall" in brushes:
        wall, color = (
            brushes["wall"],
            rng.choice(((185, 120, 95), (205, 195, 180), (150, 145, 140))),
        )
        paint_band(wall, color, horizon, foot)
        paint_tiles(wall, shaded(color, 0.82), horizon, foot, 0.06)
        paint_band(wall, shaded(color, 0.75), horizon, horizon + 0.015)
    paint_meadow(brushes["grass"], foot, 1)
    if "pavement" in brushes:
        u, stone = rng.uniform(0.2, 0.8), rng.choice(((185, 178, 168), (200, 185, 155)))
        path = brushes["pavement"]
        path.poly(stone, (u - 0.06, foot), (u + 0.06, foot), (u + 0.22, 1), (u - 0.16, 1))
        for k in range(1, 5):
            v = foot + (1 - foot) * (k / 5) ** 1.4
            share = (v - foot) / (1 - foot)
            path.bar(
                shaded(stone, 0.85),
                0.006,
                *((u - 0.06 - 0.1 * share, v), (u + 0.06 + 0.16 * share, v)),
            )


PAINTERS: dict[str, Callable[[Brushes, tuple[float, ...]], None]] = {
    "kitchen": _indoor,
    "room": _indoor,
    "street": _street,
    "field": _field,
    "beach": _beach,
    "harbour": _harbour,
    "garden": _garden,
}


def paint_band(b: Brush, color: RGB, v0: float, v1: float) -> None:
    b.rect(color, LEFT, v0, RIGHT, v1)


def paint_tiles(b: Brush, color: RGB, v0: float, v1: float, tall: float) -> None:
    rows = max(1, round((v1 - v0) / tall))
    step = (v1 - v0) / rows
    for k in range(1, rows):
        b.bar(color, 0.004, (LEFT, v0 + k * step), (RIGHT, v0 + k * step))
    u = LEFT
    while u < RIGHT:
        b.bar(color, 0.004, (u, v0), (u, v1))
        u += step / b.aspect * 1.4


def paint_stripes(b: Brush, color: RGB, v1: float, wide: float) -> None:
    u = LEFT
    while u < RIGHT:
        b.rect(color, u, 0, u + wide * 0.45, v1)
        u += wide


def _window(b: Brush, rng: DrawingRng) -> None:
    u, v = rng.uniform(0.05, 0.7), rng.uniform(0.06, 0.14)
    b.rect(WHITE, u, v, u + 0.24, v + 0.28)
    for k in (0, 1):
        b.rect((190, 220, 240), u + 0.012 + 0.114 * k, v + 0.015, u + 0.114 + 0.114 * k, v + 0.265)


def paint_planks(b: Brush, color: RGB, line: float) -> None:
    for k in range(1, 6):
        v = line + (1 - line) * (k / 6) ** 1.3
        b.bar(color, 0.004, (LEFT, v), (RIGHT, v))
    for k in range(-8, 18, 2):
        v0 = line + (1 - line) * ((k % 6) / 6) ** 1.3
        v1 = line + (1 - line) * ((k % 6 + 1) / 6) ** 1.3
        u = k / 10
        b.bar(color, 0.004, (u, v0), (u + 0.15 * (u - 0.5) * (v1 - v0) / (1 - line), v1))


def paint_checks(b: Brush, color: RGB, line: float) -> None:
    rows = [line + (1 - line) * (k / 4) ** 1.3 for k in range(5)]
    for k in range(4):
        v0, v1 = rows[k], rows[k + 1]
        near0, near1 = 1 + 0.7 * (v0 - line) / (1 - line), 1 + 0.7 * (v1 - line) / (1 - line)
        for column in range(-6 + k % 2, 7, 2):
            a, c = column * 0.13, (column + 1) * 0.13
            b.poly(
                color,
                *((0.5 + a * near0, v0), (0.5 + c * near0, v0)),
                *((0.5 + c * near1, v1), (0.5 + a * near1, v1)),
            )


def _slabs(b: Brush, color: RGB, v0: float, v1: float) -> None:
    b.bar(color, 0.004, (LEFT, (v0 + v1) / 2), (RIGHT, (v0 + v1) / 2))
    for k in range(-5, 16):
        u = k / 9
        b.bar(color, 0.004, (u, v0), (0.5 + (u - 0.5) * 1.15, v1))


def paint_sky(brushes: Brushes, horizon: float) -> None:
    b = brushes["sky"]
    clouds = brushes.get("cloud", b)
    rng, color = b.rng, b.rng.choice(_SKIES)
    for k in range(4):
        paint_band(b, mixed(color, WHITE, 0.13 * k), horizon * k / 4, horizon * (k + 1) / 4 + 0.02)
    for _ in range(rng.integer(0, 3)):
        u, v, wide = (
            rng.uniform(-0.1, 1.1),
            rng.uniform(0.03, 0.75) * horizon,
            rng.uniform(0.05, 0.11),
        )
        cloud = mixed(color, WHITE, rng.uniform(0.6, 0.95))
        for du, s in ((-1, 0.7), (0, 1), (1, 0.75)):
            clouds.oval(cloud, u + du * wide * 0.8, v + 0.01 * (1 - s), wide * s, wide * 0.35 * s)


def paint_mountains(b: Brush, horizon: float) -> None:
    rng = b.rng
    color = rng.choice(((125, 135, 155), (110, 125, 115), (150, 135, 125), (95, 105, 130)))
    snow = rng.bernoulli(0.5)
    for k in range(rng.integer(2, 4)):
        u, wide, tall = (
            rng.uniform(-0.1, 1.1),
            rng.uniform(0.2, 0.4),
            rng.uniform(0.35, 0.85) * horizon,
        )
        c = shaded(color, 0.85 + 0.12 * k)
        top = horizon - tall
        b.poly(
            c,
            *((u - wide, horizon), (u - wide * 0.4, top + tall * 0.5), (u, top)),
            *((u + wide * 0.5, top + tall * 0.6), (u + wide, horizon)),
        )
        if snow:
            b.poly(
                WHITE,
                *((u, top), (u + wide * 0.17, top + tall * 0.2)),
                *((u, top + tall * 0.17), (u - wide * 0.14, top + tall * 0.18)),
            )


def paint_meadow(b: Brush, v0: float, v1: float) -> None:
    color = b.rng.choice(_GRASS)
    paint_band(b, mixed(color, (150, 185, 130), 0.3), v0, v1)
    paint_band(b, color, v0 + (v1 - v0) * 0.25, v1)
    paint_specks(b, shaded(color, 0.82), v0 + 0.02, v1, 45, 0.022)


def paint_specks(b: Brush, color: RGB, v0: float, v1: float, number: int, tall: float) -> None:
    """Blades or grains, larger towards the camera."""
    for _ in range(number):
        u, share = b.rng.uniform(LEFT, RIGHT), b.rng.random()
        v, size = v0 + (v1 - v0) * share, tall * (0.4 + 0.6 * share)
        b.bar(color, 0.004, (u, v), (u + size * 0.35, v - size))


def paint_waves(b: Brush, v0: float, v1: float) -> None:
    rng, color = b.rng, b.rng.choice(_SEAS)
    paint_band(b, mixed(color, WHITE, 0.18), v0, v0 + (v1 - v0) * 0.3)
    paint_band(b, color, v0 + (v1 - v0) * 0.3, v1)
    for k in range(22):
        share = rng.random()
        u, v, size = rng.uniform(LEFT, RIGHT), v0 + (v1 - v0) * share, 0.025 + 0.04 * share
        tone = mixed(color, WHITE, 0.35) if k % 2 else shaded(color, 0.85)
        b.bar(tone, 0.005, (u, v), (u + size * 0.5, v - size * 0.12), (u + size, v))
