"""Colors for any color vision, the text color with most contrast on them, and DAVIS's palette.

The first seven are those of Okabe and Ito, the next five from Paul Tol's muted scheme.
"""

RGB = tuple[int, int, int]

PALETTE: tuple[RGB, ...] = (
    (213, 94, 0),  # vermilion
    (0, 114, 178),  # blue
    (240, 228, 66),  # yellow
    (0, 158, 115),  # bluish green
    (204, 121, 167),  # reddish purple
    (86, 180, 233),  # sky blue
    (230, 159, 0),  # orange
    (51, 34, 136),  # indigo
    (221, 204, 119),  # sand
    (136, 34, 85),  # wine
    (68, 170, 153),  # teal
    (204, 102, 119),  # rose
)
_BLACK: RGB = (0, 0, 0)
_WHITE: RGB = (255, 255, 255)
_TINTS = ((_BLACK, 0.0), (_WHITE, 0.4), (_BLACK, 0.4), (_WHITE, 0.65), (_BLACK, 0.6))


def color_of(index: int) -> RGB:
    """The color of ``index``; lighter or darker after each cycle of the palette."""
    base = PALETTE[index % len(PALETTE)]
    towards, share = _TINTS[index // len(PALETTE) % len(_TINTS)]
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(base, towards, strict=True))
    return red, green, blue


def ink_on(color: RGB) -> RGB:
    """Black or white, the one with more contrast on ``color``."""
    light = luminance(color)
    return _BLACK if (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) else _WHITE


def luminance(color: RGB) -> float:
    """Relative luminance in [0, 1] as defined by WCAG."""
    red, green, blue = (_linear(value / 255) for value in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _davis(number: int) -> RGB:
    """Bits of the number distributed over the channels (128 and 64 give 191), grays from 22 on."""
    if number > 21:
        return number, number, number
    high, low = (tuple(number >> shift + bit & 1 for bit in range(3)) for shift in (0, 3))
    red, green, blue = (128 * a + 64 * b - (a & b) for a, b in zip(high, low, strict=True))
    return red, green, blue


# The palette of the annotations of DAVIS and YouTube-VOS: R, G, B of 256 indices.
DAVIS: tuple[int, ...] = tuple(level for number in range(256) for level in _davis(number))
