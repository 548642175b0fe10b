"""Styles change pixels, keep masks on what they show, and are the same at every run."""

import numpy as np
import pytest

from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.drawing.styles import STYLES, styled
from vlseg_cli.synthetic.scene import Scene


@pytest.fixture(scope="module")
def plain() -> Scene:
    return draw_scene(5, shape=(150, 200), scene_type="kitchen")


@pytest.mark.parametrize("name", [name for name in STYLES if name not in ("shaded", "flat")])
def test_a_style_changes_pixels_the_same_way_every_time(name: str, plain: Scene) -> None:
    pixels, ids = styled(plain.pixels, plain.ids, (name,), 3)
    again, same_ids = styled(plain.pixels, plain.ids, (name,), 3)
    assert pixels.shape == plain.pixels.shape and pixels.dtype == np.uint8
    assert (pixels == again).all() and (ids == same_ids).all()
    assert np.abs(pixels.astype(int) - plain.pixels).mean() > 1
    assert pixels.std() > 15, "nothing is left to see"
    assert (ids == plain.ids).mean() > 0.93


@pytest.mark.parametrize("name", ["pixelated", "painted", "watercolor"])
def test_where_pixels_move_ids_move_alike(name: str) -> None:
    """Dark bars on white: after the style, ids can still be read from the pixels."""
    ids = np.repeat((np.arange(96) // 12 % 2 + 1).astype(np.uint8)[None], 96, 0)
    pixels = np.where(ids[..., None] == 1, np.uint8(20), np.uint8(235)).repeat(3, -1)
    for seed in range(5):
        shown, owners = styled(pixels, ids, (name,), seed)
        assert ((shown.mean(-1) < 128) == (owners == 1)).mean() > 0.93


@pytest.mark.parametrize("name", [name for name, style in STYLES.items() if style.shows_colors])
def test_styles_that_show_colors_keep_hues(name: str) -> None:
    """A red square on blue ground stays redder than it is blue, and the ground bluer."""
    pixels = np.full((96, 96, 3), (50, 95, 200), np.uint8)
    ids = np.full((96, 96), 1, np.uint8)
    pixels[24:72, 24:72], ids[24:72, 24:72] = (205, 45, 45), 2
    for seed in range(6):
        shown, owners = styled(pixels, ids, (name,), seed)
        red, blue = (shown[owners == number].mean(0) for number in (2, 1))
        assert red[0] > red[2] + 20 and blue[2] > blue[0] + 20
