"""Painters of outdoor objects: streets, fields, beaches, harbours; each fills its unit box."""

import math

from vlseg_cli.synthetic.drawing.canvas import BLACK, GLASS, STEEL, WHITE, WOOD, Brush, shaded


def _wheel(b: Brush, u: float, v: float, radius: float) -> None:
    b.disc(BLACK, u, v, radius)
    b.disc(STEEL, u, v, radius * 0.5)


def car(b: Brush) -> None:
    """Seen from the side: saloon, estate or small car with two windows, lights and wheels."""
    nose, tail = b.rng.uniform(0.2, 0.3), b.rng.uniform(0.72, 0.97)
    roof = b.rng.uniform(0.0, 0.06)
    b.poly(b.main, (nose, 0.42), (nose + 0.15, roof), (tail - 0.12, roof), (tail, 0.42))
    b.poly(GLASS, (nose + 0.06, 0.4), (nose + 0.17, roof + 0.08), (0.52, roof + 0.08), (0.52, 0.4))
    b.poly(
        shaded(GLASS, 0.85),
        *((0.55, 0.4), (0.55, roof + 0.08), (tail - 0.14, roof + 0.08), (tail - 0.05, 0.4)),
    )
    b.slab(b.main, 0, 0.38, 1, 0.82, 0.14)
    b.rect(b.dark, 0.01, 0.7, 0.99, 0.8)
    b.rect(b.dark, 0.53, 0.42, 0.54, 0.72)
    b.rect(BLACK, 0.57, 0.49, 0.63, 0.52)
    b.slab((255, 235, 150), 0, 0.46, 0.05, 0.57, 0.04)
    b.rect((200, 40, 40), 0.965, 0.46, 1, 0.58)
    for u in (0.22, 0.79):
        _wheel(b, u, 0.81, 0.19)


def bus(b: Brush) -> None:
    """A long box with a row of windows, a door, a stripe and two wheels."""
    doors = b.rng.bernoulli(0.6)
    b.slab(b.main, 0, 0, 1, 0.88, 0.08)
    b.rect(b.dark, 0, 0.74, 1, 0.86)
    if b.rng.bernoulli(0.5):
        b.rect(b.light, 0, 0.53, 1, 0.59)
    b.poly(GLASS, (0.01, 0.14), (0.1, 0.12), (0.1, 0.5), (0.01, 0.52))
    count = b.rng.integer(4, 6)
    wide = 0.74 / count
    for k in range(count):
        u = 0.23 + k * wide
        b.rect(GLASS if k % 2 else shaded(GLASS, 0.88), u, 0.12, u + wide * 0.82, 0.48)
    b.rect(shaded(GLASS, 0.75) if doors else b.dark, 0.13, 0.14, 0.2, 0.82)
    b.slab((255, 235, 150), 0, 0.62, 0.04, 0.72, 0.03)
    for u in (0.28, 0.78):
        _wheel(b, u, 0.86, 0.14)


def bicycle(b: Brush) -> None:
    """Two spoked wheels, a diamond frame, saddle and handlebar."""
    radius = 0.29
    left, right, hub = 0.29 / b.aspect, 1 - 0.29 / b.aspect, 1 - radius
    for u in (left, right):
        ring = [(u + radius / b.aspect * c, hub + radius * s) for c, s in _RING]
        b.bar(BLACK, 0.07, *ring)
        for c, s in _RING[:6:2]:
            b.bar(
                STEEL,
                0.015,
                *(),
                *(
                    (u - radius * c / b.aspect, hub - radius * s),
                    (u + radius * c / b.aspect, hub + radius * s),
                ),
            )
    pedal, seat, head = (0.46, hub + 0.02), (0.38, 0.26), (0.68, 0.2)
    b.bar(b.main, 0.08, (right, hub), head, (0.66, 0.08))
    b.bar(b.main, 0.08, pedal, seat, (left, hub), pedal, head, (seat[0] + 0.02, seat[1] + 0.08))
    b.slab(BLACK, seat[0] - 0.1, seat[1] - 0.1, seat[0] + 0.08, seat[1], 0.05)
    b.bar(BLACK, 0.06, (0.56, 0.05), (0.66, 0.04), (0.75, 0.12))
    b.disc(STEEL, *pedal, 0.06)


# A circle of ten corners, closed.
_RING = [
    (round(math.cos(math.pi * k / 5), 2), round(math.sin(math.pi * k / 5), 2)) for k in range(11)
]


def traffic_light(b: Brush) -> None:
    """Three lamps in a tall housing on a pole; one of them lit."""
    on = b.rng.integer(0, 2)
    b.rect(shaded(STEEL, 0.6), 0.42, 0.4, 0.58, 1)
    b.rect(shaded(STEEL, 0.5), 0.28, 0.97, 0.72, 1)
    b.slab(b.main, 0.08, 0, 0.92, 0.46, 0.04)
    for k, c in enumerate(((240, 50, 45), (250, 195, 50), (60, 210, 90))):
        v = 0.09 + 0.14 * k
        b.oval(c if k == on else shaded(c, 0.38), 0.5, v, 0.27, 0.058)


def bench(b: Brush) -> None:
    """Slatted seat and back on two iron legs."""
    slats, iron = b.rng.integer(2, 3), shaded(STEEL, 0.45)
    for u in (0.12, 0.88):
        b.poly(iron, (u - 0.02, 0.05), (u + 0.02, 0.05), (u + 0.02, 1), (u - 0.02, 1))
        b.poly(iron, (u - 0.07, 1), (u - 0.05, 0.62), (u + 0.05, 0.62), (u + 0.07, 1))
    tall = 0.46 / slats
    for k in range(slats):
        b.rect(
            b.main if k % 2 == 0 else b.light, 0, 0.02 + k * tall, 1, 0.02 + k * tall + tall * 0.78
        )
    b.poly(b.light, (0.03, 0.52), (0.97, 0.52), (1, 0.62), (0, 0.62))
    b.rect(b.dark, 0, 0.62, 1, 0.7)


def house(b: Brush) -> None:
    """Gabled or flat roof, a door, rows of windows, maybe a chimney."""
    roof = b.rng.choice(((150, 70, 50), (95, 75, 70), (80, 85, 100), (170, 95, 60)))
    eaves = b.rng.uniform(0.28, 0.4)
    pane = b.rng.choice((GLASS, (250, 230, 160), (90, 120, 150)))
    if b.rng.bernoulli(0.5):
        b.rect(shaded(roof, 0.8), 0.7, 0.02, 0.8, eaves)
    b.rect(b.main, 0.05, eaves - 0.02, 0.95, 1)
    kind = b.rng.integer(0, 2)
    if kind == 0:
        b.poly(roof, (0, eaves + 0.02), (0.5, 0), (1, eaves + 0.02))
    elif kind == 1:
        b.poly(roof, (0, eaves), (0.17, 0.04), (0.83, 0.04), (1, eaves))
    else:
        b.rect(b.main, 0.05, 0.06, 0.95, eaves)
        b.rect(roof, 0.01, 0.0, 0.99, 0.08)
    floors = 2 if b.aspect < 1.15 else 1
    tall = (1 - eaves) / floors
    door = b.rng.choice((0.14, 0.42, 0.68))
    for k in range(floors):
        v = eaves + k * tall + 0.22 * tall
        for u in (0.14, 0.41, 0.68):
            if k < floors - 1 or abs(u - door) > 0.1:
                b.rect(WHITE, u - 0.015, v - 0.015, u + 0.195, v + 0.42 * tall + 0.015)
                b.rect(pane, u, v, u + 0.18, v + 0.42 * tall)
    b.rect(b.rng.choice((WOOD, b.dark, (60, 90, 70))), door, 1 - 0.66 * tall, door + 0.17, 1)


def tractor(b: Brush) -> None:
    """A huge rear wheel, a small front one, a bonnet with an exhaust, a glass cab."""
    b.rect(shaded(STEEL, 0.5), 0.2, 0.06, 0.24, 0.4)
    b.slab(b.main, 0.06, 0.36, 0.6, 0.72, 0.06)
    b.rect(b.dark, 0.08, 0.44, 0.3, 0.62)
    b.poly(GLASS, (0.5, 0.36), (0.53, 0.08), (0.86, 0.08), (0.9, 0.4))
    b.bar(b.main, 0.05, (0.49, 0.4), (0.53, 0.06))
    b.bar(b.main, 0.05, (0.91, 0.44), (0.87, 0.06))
    b.rect(b.main, 0.47, 0, 0.92, 0.09)
    b.poly(b.main, (0.5, 0.5), (0.62, 0.34), (0.92, 0.34), (0.98, 0.56), (0.6, 0.7))
    rim = b.rng.choice(((240, 200, 60), STEEL, b.main))
    for u, r in ((0.74, 0.33), (0.17, 0.2)):
        b.disc(BLACK, u, 1 - r, r)
        b.disc(rim, u, 1 - r, r * 0.5)
        b.disc(shaded(rim, 0.6), u, 1 - r, r * 0.18)


def tree(b: Brush) -> None:
    """A trunk under a round crown, a fir of stacked triangles, or a slim poplar."""
    kind = b.rng.integer(0, 3)
    b.poly((105, 75, 50), (0.43, 0.55), (0.57, 0.55), (0.61, 1), (0.39, 1))
    if kind == 1 and b.aspect < 0.8:
        for k in range(3):
            c = (b.dark, b.main, b.light)[k]
            b.poly(
                c,
                (0.08 + 0.1 * (2 - k), 0.84 - 0.24 * k),
                *((0.5, 0.4 - 0.2 * k), (0.92 - 0.1 * (2 - k), 0.84 - 0.24 * k)),
            )
        return
    b.oval(b.dark, 0.5, 0.4, 0.5, 0.34)
    for c, u, v, r in (
        (b.main, 0.3, 0.3, 0.3),
        (b.main, 0.68, 0.28, 0.3),
        (b.light, 0.45, 0.2, 0.26),
        (b.main, 0.52, 0.45, 0.32),
    ):
        b.oval(c, u + b.rng.uniform(-0.03, 0.03), v, r, r * 0.75)
    if kind == 3:
        for _ in range(5):
            b.oval(
                b.rng.choice(((215, 60, 50), (245, 170, 60))),
                b.rng.uniform(0.15, 0.85),
                b.rng.uniform(0.15, 0.6),
                0.05,
                0.035,
            )


def boat(b: Brush) -> None:
    """A hull with a mast and two sails, or a cabin with a funnel."""
    if b.aspect < 1.15:
        sail = b.rng.choice((WHITE, WHITE, (245, 225, 190), b.light))
        b.bar(WOOD, 0.03, (0.5, 0.0), (0.5, 0.8))
        b.poly(sail, (0.53, 0.03), (0.53, 0.7), (0.95, 0.7))
        b.poly(shaded(sail, 0.88), (0.47, 0.12), (0.47, 0.7), (0.12, 0.7))
        deck = 0.74
    else:
        b.rect(WHITE, 0.3, 0.24, 0.72, 0.6)
        for u in (0.35, 0.48, 0.61):
            b.rect(GLASS, u, 0.31, u + 0.08, 0.44)
        b.rect(b.dark, 0.27, 0.19, 0.75, 0.27)
        b.rect(BLACK, 0.52, 0, 0.62, 0.2)
        deck = 0.54
    b.poly(b.main, (0, deck), (1, deck), (0.86, 1), (0.14, 1))
    b.poly(b.light, (0, deck), (1, deck), (0.98, deck + 0.05), (0.02, deck + 0.05))
    b.poly(b.dark, (0.1, 0.92), (0.9, 0.92), (0.86, 1), (0.14, 1))


def umbrella(b: Brush) -> None:
    """A domed canopy in segments on a pole; segments may alternate with white."""
    second = b.rng.choice((b.light, b.light, b.dark, WHITE))
    foot = b.rng.uniform(-0.06, 0.06)
    b.bar(shaded(WOOD, 1.2), 0.035, (0.5, 0.1), (0.5 + foot, 1))
    b.poly(
        b.main,
        *((0, 0.4), (0.06, 0.24), (0.2, 0.12), (0.5, 0.04), (0.8, 0.12), (0.94, 0.24), (1, 0.4)),
    )
    for u in (0.16, 0.6):
        b.poly(second, (0.5, 0.04), (u, 0.41), (u + 0.24, 0.41))
    for k in range(5):
        b.poly(
            b.main if k % 2 == 0 else second,
            *((0.2 * k, 0.39), (0.2 * k + 0.2, 0.39), (0.2 * k + 0.1, 0.46)),
        )
    b.rect(b.dark, 0.48, 0, 0.52, 0.06)


def bucket(b: Brush) -> None:
    """A cone open at the top with a rim and a wire handle, up or fallen."""
    arc = ((0.03, 0.36), (0.1, 0.14), (0.3, 0.02), (0.7, 0.02), (0.9, 0.14), (0.97, 0.36))
    b.bar(
        shaded(STEEL, 0.6),
        0.05,
        *(arc if b.rng.bernoulli(0.75) else [(u, 0.7 - v) for u, v in arc]),
    )
    b.poly(b.main, (0.02, 0.36), (0.98, 0.36), (0.82, 1), (0.18, 1))
    b.poly(b.light, (0.18, 0.4), (0.32, 0.4), (0.36, 0.96), (0.27, 0.96))
    b.oval(b.dark, 0.5, 0.36, 0.5, 0.09)
    b.oval(
        b.rng.choice((shaded(b.main, 0.45), (215, 190, 140), (110, 160, 195))),
        0.5,
        0.37,
        0.42,
        0.06,
    )


def lighthouse(b: Brush) -> None:
    """A tapering tower with bands, a gallery, a glowing lantern and a cap."""
    bands, width = b.rng.integer(2, 3), 0.5
    b.poly(b.main, (0.28, 0.24), (0.72, 0.24), (0.95, 1), (0.05, 1))
    if b.rng.bernoulli(0.75):
        for k in range(bands):
            v0 = 0.3 + k * 0.7 / bands
            v1 = v0 + 0.28 / bands
            left0, left1 = 0.28 - 0.23 * (v0 - 0.24) / 0.76, 0.28 - 0.23 * (v1 - 0.24) / 0.76
            stripe = WHITE if max(b.main) - min(b.main) > 40 or b.main[0] < 150 else (200, 60, 50)
            b.poly(stripe, (left0, v0), (1 - left0, v0), (1 - left1, v1), (left1, v1))
    b.rect((255, 240, 150), 0.33, 0.1, 0.67, 0.22)
    b.rect(BLACK, width - 0.02, 0.1, width + 0.02, 0.22)
    b.rect(BLACK, 0.2, 0.21, 0.8, 0.25)
    b.poly(b.dark, (0.28, 0.11), (0.5, 0), (0.72, 0.11))
    b.slab(shaded(WOOD, 0.6), 0.4, 0.86, 0.6, 1, 0.03)
    b.rect((70, 90, 120), 0.44, 0.56, 0.56, 0.63)
