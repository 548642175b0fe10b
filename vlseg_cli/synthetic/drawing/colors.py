"""Color by name: jitter that never turns one color word into another, shades, neighbors."""

from vlseg_cli.synthetic.categories import COLORS
from vlseg_cli.synthetic.drawing.rng import DrawingRng

RGB = tuple[int, int, int]

WHITE: RGB = (240, 240, 236)
BLACK: RGB = (38, 38, 42)
STEEL: RGB = (165, 168, 172)
GLASS: RGB = (165, 200, 222)
WOOD: RGB = (140, 95, 55)
SKIN: tuple[RGB, ...] = ((240, 205, 175), (220, 175, 140), (175, 120, 85), (115, 75, 52))
JITTER = 16.0
NEUTRAL = ("white", "grey", "black")


def nearest_word(rgb: RGB) -> str:
    """The color word whose starting RGB lies closest."""
    return min(COLORS, key=lambda word: _distance(rgb, COLORS[word]))


def jittered(word: str, dice: DrawingRng) -> RGB:
    """A variation of a named color that is still nearest to that name."""
    start = COLORS[word]
    strength, jitter = dice.between(0.88, 1.08), JITTER * (0.3 if word in NEUTRAL else 1)
    moved = _clipped(*(part * strength + dice.between(-jitter, jitter) for part in start))
    return moved if nearest_word(moved) == word else start


def shaded(rgb: RGB, factor: float) -> RGB:
    """Darker (factor < 1) or, towards white, lighter (factor > 1; 2 is white)."""
    if factor <= 1:
        return _clipped(*(part * factor for part in rgb))
    return mixed(rgb, (255, 255, 255), factor - 1)


def mixed(one: RGB, other: RGB, share: float) -> RGB:
    """``share`` of the other color in the one."""
    return _clipped(*(a + (b - a) * share for a, b in zip(one, other, strict=True)))


def _clipped(red: float, green: float, blue: float) -> RGB:
    return (
        min(255, max(0, round(red))),
        min(255, max(0, round(green))),
        min(255, max(0, round(blue))),
    )


def _distance(one: RGB, other: RGB) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
