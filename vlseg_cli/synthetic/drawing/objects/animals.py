"""Painters of animals and people; each fills its unit box."""

from vlseg_cli.synthetic.drawing.canvas import BLACK, RGB, SKIN, WHITE, Brush, mixed, shaded

_ORANGE: RGB = (235, 150, 50)


def _legs(b: Brush, color: RGB, top: float, width: float, left: float, right: float) -> None:
    """Four legs in a walking or standing pose; the far pair is darker."""
    step = b.rng.uniform(-0.05, 0.05)
    for u, move, far in (
        (left + 0.07, -step, 1),
        (right - 0.07, step, 1),
        (left, step, 0),
        (right, -step, 0),
    ):
        c = shaded(color, 0.75) if far else color
        half = width / b.aspect / 2
        b.poly(
            c,
            *((u - half, top), (u + half, top)),
            *((u + move + half * 0.8, 1), (u + move - half * 0.8, 1)),
        )


def cat(b: Brush) -> None:
    """Sitting upright or standing: round head, pointed ears, raised tail, maybe stripes."""
    if b.aspect < 1:
        b.bar(b.main, 0.09, (0.7, 0.93), (0.95, 0.85), (0.93, 0.55))
        b.poly(b.main, (0.3, 0.4), (0.62, 0.4), (0.82, 0.75), (0.8, 1), (0.18, 1), (0.2, 0.75))
        b.oval(b.light, 0.44, 0.76, 0.1, 0.2)
        head, wide = (0.44, 0.24), 0.3
    else:
        b.bar(b.main, 0.11, (0.86, 0.5), (0.96, 0.3), (0.92, 0.04))
        _legs(b, b.main, 0.6, 0.13, 0.3, 0.84)
        b.slab(b.main, 0.2, 0.38, 0.92, 0.74, 0.17)
        for u in (0.5, 0.62, 0.74):
            b.bar(b.dark, 0.05, (u, 0.38), (u - 0.02, 0.58))
        head, wide = (0.18, 0.3), 0.18
    u, v = head
    for side in (-1, 1):
        b.poly(
            b.main,
            (u + side * wide, v - 0.22),
            *((u + side * wide * 0.95, v), (u + side * wide * 0.15, v - 0.12)),
        )
    b.oval(b.main, u, v, wide, 0.17)
    for side in (-1, 1):
        b.disc((70, 160, 80), u + side * wide * 0.45, v - 0.02, 0.035)
    b.disc((225, 130, 130), u, v + 0.06, 0.025)


def dog(b: Brush) -> None:
    """Standing: long muzzle, hanging ears, wagging tail, maybe a collar or a patch."""
    patch = b.rng.choice((b.main, b.dark, WHITE))
    wag = b.rng.uniform(0.02, 0.3)
    b.poly(b.main, (0.86, 0.38), (0.98, wag), (1, wag + 0.05), (0.93, 0.5))
    _legs(b, b.main, 0.6, 0.12, 0.34, 0.84)
    b.poly(b.main, (0.28, 0.32), (0.9, 0.36), (0.94, 0.5), (0.88, 0.72), (0.36, 0.76), (0.26, 0.58))
    b.oval(patch, 0.64, 0.46, 0.13, 0.1)
    b.poly(b.main, (0.2, 0.1), (0.36, 0.08), (0.44, 0.4), (0.26, 0.56))
    b.slab(b.main, 0.1, 0.04, 0.36, 0.34, 0.1)
    b.slab(b.light, 0, 0.16, 0.2, 0.33, 0.06)
    b.disc(BLACK, 0.02, 0.2, 0.045)
    b.disc(BLACK, 0.18, 0.14, 0.03)
    b.poly(b.dark, (0.27, 0.05), (0.38, 0.08), (0.4, 0.38), (0.3, 0.36))
    if b.rng.bernoulli(0.5):
        b.bar((200, 50, 50), 0.06, (0.24, 0.43), (0.4, 0.34))


def cow(b: Brush) -> None:
    """A heavy angular body with patches, horns, pink muzzle and udder."""
    patch = BLACK if b.main[0] > 150 else WHITE
    _legs(b, b.main, 0.62, 0.12, 0.3, 0.86)
    b.bar(b.dark, 0.035, (0.97, 0.2), (0.99, 0.62))
    b.oval((235, 170, 165), 0.72, 0.72, 0.07, 0.08)
    b.poly(b.main, (0.24, 0.14), (0.96, 0.14), (0.99, 0.3), (0.95, 0.7), (0.32, 0.74), (0.22, 0.55))
    if b.rng.bernoulli(0.75):
        for u, v, w in ((0.42, 0.3, 0.1), (0.68, 0.48, 0.12), (0.86, 0.26, 0.08)):
            b.oval(patch, u + b.rng.uniform(-0.04, 0.04), v, w, w * 1.4)
    b.poly(b.main, (0.08, 0.06), (0.24, 0.06), (0.3, 0.3), (0.2, 0.44), (0.06, 0.4))
    b.slab((235, 185, 175), 0, 0.3, 0.16, 0.46, 0.06)
    b.poly(b.dark, (0.22, 0.1), (0.32, 0.1), (0.28, 0.18))
    for u in (0.07, 0.2):
        b.bar((230, 220, 190), 0.05, (u, 0.08), (u - 0.02, 0))
    b.disc(BLACK, 0.1, 0.2, 0.03)


def sheep(b: Brush) -> None:
    """A cloud of wool on thin legs with a dark or pale face."""
    face = b.rng.choice((BLACK, (75, 65, 60), (225, 205, 180)))
    _legs(b, face, 0.62, 0.1, 0.36, 0.78)
    b.oval(b.main, 0.57, 0.44, 0.4, 0.34)
    for k, (u, v) in enumerate(
        (
            (0.3, 0.3),
            (0.46, 0.18),
            (0.66, 0.16),
            (0.84, 0.3),
            (0.88, 0.5),
            (0.3, 0.56),
            (0.5, 0.66),
            (0.72, 0.64),
        )
    ):
        b.oval(b.main if k % 2 else shaded(b.main, 0.93), u, v, 0.14, 0.17)
    b.oval(face, 0.14, 0.36, 0.13, 0.17)
    b.poly(face, (0.2, 0.24), (0.34, 0.28), (0.22, 0.38))
    b.oval(b.light, 0.2, 0.2, 0.11, 0.1)


def horse(b: Brush) -> None:
    """A slim body on long legs, arched neck with a mane, long face, flowing tail."""
    mane = b.rng.choice((BLACK, b.dark, (225, 200, 150)))
    b.poly(mane, (0.9, 0.34), (0.97, 0.38), (1, 0.8), (0.94, 0.82))
    _legs(b, b.main, 0.5, 0.08, 0.36, 0.88)
    b.poly(
        b.main,
        *((0.34, 0.34), (0.6, 0.38), (0.88, 0.32), (0.95, 0.42), (0.92, 0.6)),
        *((0.5, 0.64), (0.32, 0.58)),
    )
    b.poly(b.main, (0.16, 0.06), (0.26, 0.06), (0.46, 0.36), (0.36, 0.56))
    b.poly(mane, (0.22, 0.02), (0.29, 0.06), (0.5, 0.35), (0.42, 0.37))
    b.poly(b.main, (0.2, 0.04), (0.28, 0.14), (0.08, 0.32), (0, 0.28), (0.02, 0.2))
    b.poly(b.main, (0.2, 0.08), (0.23, 0), (0.26, 0.08))
    b.disc(BLACK, 0.16, 0.13, 0.02)


def bird(b: Brush) -> None:
    """Perched, or flying with spread wings: pointed tail, round head, orange beak."""
    if b.aspect > 1.6:
        b.poly(b.dark, (0.42, 0.6), (0.3, 0.02), (0.62, 0.5))
        b.poly(
            b.main,
            *((0.08, 0.5), (0.3, 0.42), (0.7, 0.5), (1, 0.4), (0.96, 0.66)),
            *((0.6, 0.76), (0.24, 0.76)),
        )
        b.poly(b.light, (0.4, 0.58), (0.62, 0), (0.76, 0.16), (0.66, 0.6))
        b.disc(b.main, 0.16, 0.56, 0.2)
        b.poly(_ORANGE, (0.07, 0.52), (0, 0.62), (0.08, 0.68))
        b.disc(BLACK, 0.14, 0.5, 0.05)
        return
    b.bar(_ORANGE, 0.05, (0.46, 0.8), (0.44, 1))
    b.bar(_ORANGE, 0.05, (0.58, 0.8), (0.58, 1))
    b.poly(b.dark, (0.7, 0.5), (1, 0.74), (0.94, 0.84), (0.62, 0.76))
    b.oval(b.main, 0.5, 0.58, 0.3, 0.28)
    b.oval(b.main, 0.3, 0.27, 0.22, 0.24)
    b.poly(b.dark, (0.4, 0.46), (0.74, 0.5), (0.82, 0.68), (0.56, 0.7))
    b.poly(_ORANGE, (0.12, 0.2), (0, 0.3), (0.13, 0.36))
    b.disc(BLACK, 0.26, 0.22, 0.05)


def person(b: Brush) -> None:
    """Head and hair, a coat or shirt in the main color, arms in some pose, legs, shoes."""
    skin = b.rng.choice(SKIN)
    hair = b.rng.choice((BLACK, (90, 60, 35), (200, 165, 90), (150, 150, 150), (130, 60, 30)))
    legs = b.rng.choice((b.dark, (50, 60, 95), (70, 70, 72), (120, 100, 75)))
    step, hem = b.rng.uniform(0.02, 0.2), b.rng.choice((0.54, 0.6, 0.68))
    for side in (-1, 1):
        foot = 0.5 + side * (0.1 + step)
        b.poly(legs, (0.5 - 0.2, 0.5), (0.5 + 0.2, 0.5), (foot + 0.09, 0.97), (foot - 0.09, 0.97))
        b.rect(BLACK, foot - 0.13, 0.955, foot + 0.11, 1)
    for side in (-1, 1):
        lift = b.rng.choice((0.0, 0.0, 0.1, 0.28))
        elbow, hand = (0.5 + side * 0.37, 0.4 - lift * 0.4), (0.5 + side * 0.42, 0.55 - lift * 1.4)
        b.bar(b.dark, 0.06, (0.5 + side * 0.23, 0.24), elbow, hand)
        b.disc(skin, *hand, 0.03)
    b.poly(b.main, (0.22, 0.21), (0.4, 0.17), (0.6, 0.17), (0.78, 0.21), (0.74, hem), (0.26, hem))
    b.rect(skin, 0.43, 0.13, 0.57, 0.19)
    b.disc(hair, 0.5, 0.075, 0.078)
    b.oval(skin, 0.46, 0.095, 0.16, 0.065)
    if b.rng.bernoulli(0.3):
        b.rect(b.rng.choice((b.main, b.light, mixed(b.main, BLACK, 0.5))), 0.26, 0.0, 0.74, 0.045)
