"""Painters of objects in living rooms and bedrooms; each fills its unit box."""

from vlseg_cli.synthetic.categories import COLORS
from vlseg_cli.synthetic.drawing.canvas import BLACK, RGB, STEEL, WHITE, WOOD, Brush, mixed, shaded

_SPINES: tuple[RGB, ...] = tuple(COLORS.values())


def sofa(b: Brush) -> None:
    """A back, two or three seat cushions between two armrests, short legs, maybe a pillow."""
    seats = 3 if b.aspect > 2 else 2
    arm = b.rng.uniform(0.12, 0.16)
    for u in (0.08, 0.92):
        b.rect(WOOD, u - 0.02, 0.9, u + 0.02, 1)
    b.slab(b.main, 0.05, 0, 0.95, 0.7, 0.12)
    b.rect(b.dark, 0.05, 0.72, 0.95, 0.93)
    width = (1 - 2 * arm) / seats
    for k in range(seats):
        u = arm + k * width
        b.slab(shaded(b.main, 0.92), u + 0.005, 0.08, u + width - 0.005, 0.52, 0.08)
        b.slab(b.light, u + 0.003, 0.5, u + width - 0.003, 0.74, 0.07)
    for u in (0.0, 1 - arm):
        b.slab(shaded(b.main, 0.86), u, 0.3, u + arm, 0.95, 0.12)
    if b.rng.bernoulli(0.5):
        c, u = b.rng.choice(_SPINES), b.rng.uniform(arm, 0.7)
        b.poly(c, (u, 0.26), (u + 0.13, 0.22), (u + 0.15, 0.5), (u + 0.01, 0.52))


def bed(b: Brush) -> None:
    """Seen from the side: tall headboard, low footboard, mattress, pillow, hanging blanket."""
    wood = b.rng.choice((WOOD, shaded(WOOD, 0.7), (200, 195, 185), BLACK))
    b.slab(wood, 0, 0, 0.07, 1, 0.05)
    b.slab(wood, 0.94, 0.38, 1, 1, 0.05)
    b.rect(shaded(wood, 0.8), 0.05, 0.74, 0.96, 0.88)
    b.slab(WHITE, 0.06, 0.48, 0.95, 0.76, 0.05)
    b.poly(b.main, (0.3, 0.42), (0.93, 0.42), (0.95, 0.5), (0.95, 0.84), (0.27, 0.84), (0.27, 0.47))
    b.poly(b.light, (0.3, 0.4), (0.42, 0.4), (0.4, 0.84), (0.27, 0.84))
    b.bar(b.dark, 0.02, (0.62, 0.46), (0.6, 0.82))
    b.slab(shaded(WHITE, 0.96), 0.075, 0.26, 0.27, 0.48, 0.1)


def lamp(b: Brush) -> None:
    """A cut cone on a stem and a round foot: slim ones stand on floors, stout ones on tables."""
    stem, top = b.rng.choice((BLACK, STEEL, WOOD)), b.rng.uniform(0.2, 0.32)
    deep = 0.34 if b.aspect < 0.6 else 0.5
    b.bar(stem, 0.035 if b.aspect < 0.6 else 0.08, (0.5, deep - 0.05), (0.5, 0.96))
    if b.aspect > 0.6:
        b.oval(stem, 0.5, 0.76, 0.17, 0.18)
    b.poly(stem, (0.2, 1), (0.27, 0.95), (0.73, 0.95), (0.8, 1))
    b.poly(b.main, (0.5 - top, 0), (0.5 + top, 0), (1, deep), (0, deep))
    b.poly(b.light, (0.5 - top * 0.5, 0), (0.5 + top * 0.1, 0), (0.56, deep), (0.26, deep))
    if b.rng.bernoulli(0.5):
        b.rect((255, 235, 160), 0.1, deep - 0.02, 0.9, deep + 0.025)


def tv(b: Brush) -> None:
    """A wide frame with a bright or dark screen on a small foot."""
    screen = b.rng.choice(((60, 110, 165), (75, 150, 190), (45, 55, 75), (90, 95, 110)))
    b.rect(b.dark, 0.44, 0.85, 0.56, 0.97)
    b.poly(b.dark, (0.26, 1), (0.32, 0.94), (0.68, 0.94), (0.74, 1))
    b.slab(b.main, 0, 0, 1, 0.88, 0.03)
    b.rect(screen, 0.045, 0.06, 0.955, 0.79)
    if b.rng.bernoulli(0.5):
        b.poly(
            (90, 140, 80),
            *((0.045, 0.55), (0.3, 0.42), (0.6, 0.6), (0.955, 0.46)),
            *((0.955, 0.79), (0.045, 0.79)),
        )
        b.disc((250, 220, 120), 0.75, 0.22, 0.09)
    else:
        b.poly(shaded(screen, 1.3), (0.1, 0.06), (0.35, 0.06), (0.18, 0.79), (0.045, 0.79))
    b.rect((210, 60, 50), 0.9, 0.82, 0.93, 0.85)


def bookshelf(b: Brush) -> None:
    """A frame with three to five boards and rows of colored spines."""
    rows, edge = b.rng.integer(3, 5), 0.06
    b.rect(b.main, 0, 0, 1, 1)
    tall = (1 - edge * 0.7) / rows
    for k in range(rows):
        v0, v1 = edge * 0.6 + k * tall, (k + 1) * tall - 0.015
        b.rect(shaded(b.main, 0.5), edge, v0, 1 - edge, v1)
        u, end = edge + 0.01, 1 - edge - b.rng.uniform(0.02, 0.3)
        while u < end - 0.08:
            wide = b.rng.uniform(0.06, 0.12)
            b.rect(
                b.rng.choice(_SPINES), u, v0 + (v1 - v0) * b.rng.uniform(0.12, 0.35), u + wide, v1
            )
            u += wide + 0.012


def clock(b: Brush) -> None:
    """A round dial with a rim, ticks, and two hands at a random time."""
    face = b.rng.choice((WHITE, WHITE, (245, 235, 205), shaded(b.main, 1.75)))
    b.disc(b.main, 0.5, 0.5, 0.5)
    b.disc(face, 0.5, 0.5, 0.36)
    for u, v in ((0.5, 0.19), (0.5, 0.81), (0.19, 0.5), (0.81, 0.5)):
        b.disc(BLACK, u, v, 0.03)
    for length, width in ((0.2, 0.07), (0.29, 0.05)):
        u, v = b.rng.uniform(-1, 1), b.rng.choice((-0.8, 0.8, 0.4, -0.4))
        norm = length / max(0.3, (u * u + v * v) ** 0.5)
        b.bar(BLACK, width, (0.5, 0.5), (0.5 + u * norm, 0.5 + v * norm))


def picture(b: Brush) -> None:
    """A broad frame around a small landscape, a portrait or shapes."""
    wide = b.rng.uniform(0.12, 0.17)
    side = wide / b.aspect
    b.rect(b.main, 0, 0, 1, 1)
    b.rect(b.dark, side * 0.8, wide * 0.8, 1 - side * 0.8, 1 - wide * 0.8)
    b.rect((232, 226, 210), side, wide, 1 - side, 1 - wide)
    kind = b.rng.integer(0, 2)
    low = 1 - wide - 0.02
    if kind == 0:
        b.rect((150, 195, 225), side + 0.03, wide + 0.03, 0.97 - side, 0.6)
        b.poly(
            (95, 140, 85),
            *((side + 0.03, 0.6), (0.45, 0.42), (0.97 - side, 0.58)),
            *((0.97 - side, low), (side + 0.03, low)),
        )
    elif kind == 1:
        b.oval((215, 165, 130), 0.5, 0.45, 0.13, 0.16)
        b.poly(b.rng.choice(_SPINES), (0.28, low), (0.36, 0.64), (0.64, 0.64), (0.72, low))
    else:
        for _ in range(3):
            u, v = b.rng.uniform(side + 0.1, 0.75), b.rng.uniform(wide + 0.1, 0.7)
            b.oval(b.rng.choice(_SPINES), u, v, 0.1, 0.12)


def plant(b: Brush) -> None:
    """A pot like a cut cone with a tuft of long leaves or a round bush."""
    pot = b.rng.choice(((190, 105, 70), WHITE, (90, 95, 105), (70, 110, 170), (215, 175, 90)))
    if b.rng.bernoulli(0.6):
        for k in range(7):
            lean = (k - 3) / 3 * b.rng.uniform(0.8, 1)
            c = b.main if k % 2 else b.dark
            tip = (0.5 + 0.5 * lean, 0.3 * abs(lean) ** 1.5)
            b.poly(
                c,
                (0.46, 0.68),
                (0.4 + 0.28 * lean, 0.3),
                tip,
                (0.56 + 0.3 * lean, 0.36),
                (0.54, 0.68),
            )
    else:
        for u, v, c in (
            (0.25, 0.42, b.dark),
            (0.75, 0.42, b.dark),
            (0.5, 0.24, b.main),
            (0.38, 0.4, b.light),
            (0.64, 0.46, b.main),
        ):
            b.oval(c, u, v, 0.25, 0.22)
    b.poly(pot, (0.2, 0.68), (0.8, 0.68), (0.7, 1), (0.3, 1))
    b.rect(shaded(pot, 0.8), 0.17, 0.64, 0.83, 0.73)


def ball(b: Brush) -> None:
    """A round ball with stripes, patches or a plain gleam."""
    kind = b.rng.integer(0, 2)
    b.disc(b.main, 0.5, 0.5, 0.5)
    if kind == 0:
        b.poly(
            WHITE, (0.42, 0.01), (0.58, 0.01), (0.66, 0.5), (0.58, 0.99), (0.42, 0.99), (0.5, 0.5)
        )
    elif kind == 1:
        for u, v in (
            (0.5, 0.5),
            (0.5, 0.13),
            (0.86, 0.42),
            (0.14, 0.42),
            (0.3, 0.84),
            (0.72, 0.84),
        ):
            b.disc(b.dark, u, v, 0.1)
    b.disc(shaded(b.main, 1.55), 0.34, 0.27, 0.08)


def book(b: Brush) -> None:
    """Lying flat with its pages to the front, or standing upright."""
    if b.aspect > 1.2:
        b.poly(b.main, (0.12, 0), (1, 0), (0.9, 0.42), (0, 0.42))
        b.rect(WHITE, 0.02, 0.42, 0.9, 0.82)
        b.poly(mixed(WHITE, BLACK, 0.2), (0.9, 0.42), (1, 0.02), (1, 0.5), (0.9, 0.82))
        b.poly(b.dark, (0, 0.8), (0.92, 0.8), (1, 0.5), (1, 0.66), (0.92, 1), (0, 1))
        b.rect(b.dark, 0, 0.4, 0.05, 1)
    else:
        b.poly(WHITE, (0.86, 0.04), (1, 0.1), (1, 1), (0.86, 0.97))
        b.rect(b.main, 0, 0, 0.9, 1)
        b.rect(b.dark, 0, 0, 0.14, 1)
        b.rect(b.light, 0.26, 0.18, 0.78, 0.4)
