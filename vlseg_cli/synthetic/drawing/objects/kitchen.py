"""Painters of kitchen objects: appliances, table, crockery, fruit; each fills its unit box."""

from vlseg_cli.synthetic.drawing.canvas import BLACK, STEEL, WHITE, WOOD, Brush, mixed, shaded


def fridge(b: Brush) -> None:
    """A tall cabinet with a freezer door above or below, long handles, rubber seam and feet."""
    steel = shaded(STEEL, b.rng.uniform(0.45, 1.2))
    split = b.rng.choice((0.3, 0.36, 0.66))
    b.rect(BLACK, 0.08, 0.95, 0.92, 1)
    b.slab(b.main, 0, 0, 1, 0.97, 0.04)
    b.rect(b.dark, 0, split - 0.008, 1, split + 0.008)
    b.rect(b.dark, 0.9, 0.03, 0.95, 0.94)
    if b.rng.bernoulli(0.3):
        b.rect(b.dark, 0.49, split, 0.505, 0.97)
    b.rect(steel, 0.08, split - 0.17, 0.15, split - 0.035)
    b.rect(steel, 0.08, split + 0.035, 0.15, split + 0.22)
    if b.rng.bernoulli(0.4):
        b.rect(shaded(STEEL, 0.5), 0.4, split + 0.08, 0.62, split + 0.18)
    if b.rng.bernoulli(0.4):
        for _ in range(3):
            u, v = b.rng.uniform(0.25, 0.75), b.rng.uniform(0.05, 0.25)
            b.rect(b.rng.choice(((220, 80, 70), (240, 210, 80), WHITE)), u, v, u + 0.09, v + 0.04)


def oven(b: Brush) -> None:
    """A low wide cabinet: hob plates on top, a row of knobs, a dark window with a bar handle."""
    b.rect(BLACK, 0.06, 0.9, 0.94, 1)
    b.slab(b.main, 0, 0.06, 1, 0.96, 0.03)
    b.rect(shaded(BLACK, 1.1), 0, 0.02, 1, 0.09)
    for u in (0.22, 0.72):
        b.oval(shaded(BLACK, 1.35), u, 0.03, 0.14, 0.025)
    b.rect(b.dark, 0, 0.27, 1, 0.285)
    for u in (0.13, 0.28, 0.72, 0.87):
        b.disc(shaded(b.main, 0.35), u, 0.18, 0.045)
    if b.rng.bernoulli(0.5):
        b.rect((60, 170, 110), 0.41, 0.14, 0.59, 0.22)
    glow = b.rng.bernoulli(0.3)
    b.rect(STEEL, 0.12, 0.34, 0.88, 0.39)
    b.slab((235, 160, 60) if glow else (52, 54, 60), 0.14, 0.46, 0.86, 0.84, 0.05)
    b.poly(
        (245, 200, 120) if glow else (88, 92, 100), (0.2, 0.5), (0.4, 0.5), (0.28, 0.8), (0.2, 0.8)
    )


def table(b: Brush) -> None:
    """A top seen slightly from above on four straight or slanted legs, or one pedestal."""
    slant, thick = b.rng.uniform(0, 0.05), b.rng.uniform(0.05, 0.08)
    deep = b.rng.uniform(0.1, 0.2)
    if b.rng.bernoulli(0.2):
        b.bar(b.dark, 0.12, (0.5, deep), (0.5, 0.95))
        b.poly(b.dark, (0.25, 1), (0.4, 0.9), (0.6, 0.9), (0.75, 1))
    else:
        for u, foot in ((0.16, 0.9), (0.84, 0.9), (0.04, 1.0), (0.96, 1.0)):
            side = -slant if u < 0.5 else slant
            c = b.dark if foot < 1 else shaded(b.main, 0.85)
            b.poly(
                c,
                *((u - 0.025, 0.1), (u + 0.025, 0.1)),
                *((u + side * 0.6 + 0.02, foot), (u + side * 0.6 - 0.02, foot)),
            )
    b.poly(b.main, (0.1, 0), (0.9, 0), (1, deep), (0, deep))
    b.rect(b.dark, 0, deep, 1, deep + thick)
    if b.rng.bernoulli(0.3):
        b.poly(b.light, (0.3, 0.01), (0.7, 0.01), (0.75, deep * 0.9), (0.25, deep * 0.9))


def chair(b: Brush) -> None:
    """Backrest with slats or a panel, a seat, four legs; seen from half the side."""
    slats, soft = b.rng.bernoulli(0.5), shaded(b.main, 1.15)
    leg = b.dark if b.rng.bernoulli(0.6) else WOOD
    for u, top, foot in ((0.2, 0.5, 0.92), (0.92, 0.5, 0.92), (0.06, 0.56, 1), (0.78, 0.56, 1)):
        b.bar(leg, 0.05, (u, top), (u, foot))
    if slats:
        for u in (0.24, 0.42, 0.6, 0.78):
            b.poly(b.main, (u - 0.04, 0), (u + 0.04, 0), (u + 0.04, 0.5), (u - 0.04, 0.5))
        b.slab(b.main, 0.14, 0, 0.9, 0.11, 0.03)
        b.rect(b.main, 0.14, 0.24, 0.9, 0.3)
    else:
        b.slab(b.main, 0.14, 0, 0.9, 0.5, 0.08)
        b.slab(soft, 0.24, 0.07, 0.8, 0.4, 0.05)
    b.poly(soft, (0.16, 0.48), (0.95, 0.48), (0.84, 0.58), (0, 0.58))
    b.rect(b.dark, 0, 0.58, 0.84, 0.64)


def cup(b: Brush) -> None:
    """A mug with its handle at one side and something dark inside; sometimes a band or steam."""
    waist = b.rng.uniform(0, 0.12)
    b.disc(b.dark, 0.76, 0.52, 0.24)
    b.disc((225, 222, 215) if b.main[0] < 200 else (120, 118, 115), 0.76, 0.52, 0.13)
    b.poly(
        b.main,
        *((0.02, 0.1), (0.74, 0.1), (0.74 - waist, 0.94), (0.66 - waist, 1)),
        *((0.1 + waist, 1), (0.02 + waist, 0.94)),
    )
    if b.rng.bernoulli(0.35):
        b.poly(
            b.light,
            *((0.04 + waist * 0.4, 0.42), (0.72 - waist * 0.4, 0.42)),
            *((0.72 - waist * 0.6, 0.62), (0.04 + waist * 0.6, 0.62)),
        )
    b.oval(b.light, 0.38, 0.1, 0.36, 0.1)
    b.oval(b.rng.choice(((85, 55, 35), (235, 230, 220), (150, 90, 50))), 0.38, 0.1, 0.28, 0.065)


def bottle(b: Brush) -> None:
    """A neck with a cap on sloping shoulders, a label, a streak of light."""
    neck, shoulder = b.rng.uniform(0.13, 0.2), b.rng.uniform(0.34, 0.46)
    b.poly(
        b.main,
        *((0.5 - neck, 0.05), (0.5 + neck, 0.05), (0.5 + neck, shoulder - 0.13), (0.96, shoulder)),
        *((1, shoulder + 0.06), (1, 0.97), (0.92, 1), (0.08, 1), (0, 0.97)),
        *((0, shoulder + 0.06), (0.04, shoulder), (0.5 - neck, shoulder - 0.13)),
    )
    b.rect(b.rng.choice((b.dark, STEEL, WHITE, (190, 60, 50))), 0.46 - neck, 0, 0.54 + neck, 0.09)
    if b.rng.bernoulli(0.65):
        b.rect(b.rng.choice((WHITE, (235, 220, 170), b.dark)), 0.03, 0.58, 0.97, 0.82)
    b.rect(shaded(b.main, 1.5), 0.14, shoulder + 0.06, 0.26, 0.94)


def bowl(b: Brush) -> None:
    """Half a sphere on a small foot, open at the top, with something in it."""
    filling = b.rng.choice(((240, 230, 200), (200, 90, 50), (110, 150, 60), b.dark))
    b.rect(b.dark, 0.32, 0.88, 0.68, 1)
    b.poly(
        b.main,
        *((0, 0.2), (1, 0.2), (0.95, 0.48), (0.84, 0.72), (0.68, 0.9)),
        *((0.32, 0.9), (0.16, 0.72), (0.05, 0.48)),
    )
    if b.rng.bernoulli(0.4):
        b.poly(b.light, (0.03, 0.38), (0.97, 0.38), (0.94, 0.52), (0.06, 0.52))
    b.oval(b.light, 0.5, 0.2, 0.5, 0.2)
    b.oval(filling, 0.5, 0.22, 0.42, 0.14)


def pot(b: Brush) -> None:
    """A wide cylinder with two ears and a lid with a knob, or one long handle."""
    long, left = b.rng.bernoulli(0.4), 0.12
    if long:
        left = 0.0
        b.bar(BLACK, 0.12, (0.66, 0.42), (1, 0.34))
    right = 0.68 if long else 0.88
    if not long:
        b.rect(BLACK, 0, 0.42, 1, 0.55)
    b.slab(b.main, left, 0.26, right, 1, 0.12)
    b.rect(b.light, left + 0.08, 0.4, left + 0.16, 0.88)
    b.rect(b.dark, left - 0.02, 0.26, right + 0.02, 0.34)
    middle = (left + right) / 2
    b.oval(shaded(b.main, 1.12), middle, 0.26, (right - left) / 2, 0.12)
    b.rect(BLACK, middle - 0.07, 0.02, middle + 0.07, 0.16)


def apple(b: Brush) -> None:
    """Two round halves with a dip at the stem, a leaf and a gleam."""
    b.oval(b.main, 0.33, 0.58, 0.33, 0.4)
    b.oval(b.main, 0.67, 0.58, 0.33, 0.4)
    b.oval(b.main, 0.5, 0.66, 0.34, 0.34)
    b.oval(b.dark, 0.5, 0.27, 0.12, 0.05)
    b.bar((90, 60, 35), 0.07, (0.5, 0.28), (0.56, 0.02))
    if b.rng.bernoulli(0.7):
        b.poly((75, 150, 60), (0.55, 0.16), (0.72, 0.02), (0.9, 0.08), (0.74, 0.2))
    b.oval(shaded(b.main, 1.5), 0.26, 0.48, 0.08, 0.12)


def banana(b: Brush) -> None:
    """A crescent with dark tips; one, or a bunch of two or three."""
    tip = mixed(b.main, (70, 50, 30), 0.75)
    for k in range(b.rng.integer(1, 3) - 1, -1, -1):
        c, s = (b.main if k == 0 else shaded(b.main, 0.9 - 0.06 * k)), 0.16 * k
        b.poly(
            c,
            *((0.02, 0.3 - s * 0.6), (0.1, 0.2 - s * 0.6), (0.3, 0.5 - s), (0.55, 0.58 - s)),
            *((0.78, 0.46 - s), (0.9, 0.12), (1, 0.1), (0.97, 0.55 - s), (0.8, 0.88 - s)),
            *((0.52, 1 - s), (0.24, 0.86 - s)),
        )
    b.poly(tip, (0.88, 0.16), (0.9, 0), (0.99, 0), (1, 0.14))
    b.poly(tip, (0.02, 0.32), (0.09, 0.19), (0.13, 0.26), (0.06, 0.4))
    b.bar(shaded(b.main, 0.82), 0.03, (0.2, 0.56), (0.52, 0.74), (0.86, 0.52))
