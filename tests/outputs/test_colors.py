"""Consecutive colors differ, and text is legible on each of them."""

from itertools import pairwise

from vlseg_cli.outputs.colors import PALETTE, color_of, ink_on, luminance


def contrast(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    """Contrast ratio of the web's accessibility guidelines, 1 to 21."""
    light, dark = sorted([luminance(a), luminance(b)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_is_legible_on_every_color() -> None:
    for index in range(60):
        color = color_of(index)
        assert contrast(color, ink_on(color)) >= 4.5


def test_the_first_sixty_colors_are_all_different() -> None:
    assert len({color_of(index) for index in range(60)}) == 60
    assert all(0 <= value <= 255 for index in range(99) for value in color_of(index))


def test_consecutive_colors_differ_for_red_green_color_blindness() -> None:
    """Projected to what red-green color blindness leaves: lightness and blue against yellow."""
    for a, b in pairwise(PALETTE):
        light = abs((a[0] + 2 * a[1]) - (b[0] + 2 * b[1])) / 3
        blue = abs((2 * a[2] - a[0] - a[1]) - (2 * b[2] - b[0] - b[1])) / 2
        assert light + blue > 60


def test_luminance_ranges_from_black_to_white() -> None:
    assert luminance((0, 0, 0)) == 0
    assert abs(luminance((255, 255, 255)) - 1) < 1e-9
