"""What belongs to beaches and harbours. Each drawing fills its unit box."""

from vlseg_cli.synthetic.drawing.canvas import Brush
from vlseg_cli.synthetic.drawing.colors import BLACK, GLASS, STEEL, WHITE, WOOD, shaded


def boat(b: Brush) -> None:
    """A hull with a mast and two sails, or a cabin with a funnel."""
    if b.ratio < 1.15:
        sail = b.dice.pick((WHITE, WHITE, (245, 225, 190), b.light))
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
    second = b.dice.pick((b.light, b.light, b.dark, WHITE))
    foot = b.dice.between(-0.06, 0.06)
    b.bar(shaded(WOOD, 1.2), 0.035, (0.5, 0.1), (0.5 + foot, 1))
    b.poly(
        b.main,
        (0, 0.4),
        (0.06, 0.24),
        (0.2, 0.12),
        (0.5, 0.04),
        (0.8, 0.12),
        (0.94, 0.24),
        (1, 0.4),
    )
    for u in (0.16, 0.6):
        b.poly(second, (0.5, 0.04), (u, 0.41), (u + 0.24, 0.41))
    for k in range(5):
        b.poly(
            b.main if k % 2 == 0 else second,
            (0.2 * k, 0.39),
            (0.2 * k + 0.2, 0.39),
            (0.2 * k + 0.1, 0.46),
        )
    b.rect(b.dark, 0.48, 0, 0.52, 0.06)


def bucket(b: Brush) -> None:
    """A cone open at the top with a rim and a wire handle, up or fallen."""
    arc = ((0.03, 0.36), (0.1, 0.14), (0.3, 0.02), (0.7, 0.02), (0.9, 0.14), (0.97, 0.36))
    b.bar(
        shaded(STEEL, 0.6), 0.05, *(arc if b.dice.chance(0.75) else [(u, 0.7 - v) for u, v in arc])
    )
    b.poly(b.main, (0.02, 0.36), (0.98, 0.36), (0.82, 1), (0.18, 1))
    b.poly(b.light, (0.18, 0.4), (0.32, 0.4), (0.36, 0.96), (0.27, 0.96))
    b.oval(b.dark, 0.5, 0.36, 0.5, 0.09)
    b.oval(
        b.dice.pick((shaded(b.main, 0.45), (215, 190, 140), (110, 160, 195))), 0.5, 0.37, 0.42, 0.06
    )


def lighthouse(b: Brush) -> None:
    """A tapering tower with bands, a gallery, a glowing lantern and a cap."""
    bands, width = b.dice.count(2, 3), 0.5
    b.poly(b.main, (0.28, 0.24), (0.72, 0.24), (0.95, 1), (0.05, 1))
    if b.dice.chance(0.75):
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
