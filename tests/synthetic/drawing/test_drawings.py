"""Every drawing of every category fills its box with an object of the color it is named after."""

from collections import Counter

import numpy as np
import pytest

from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.drawing.canvas import (
    Brush,
    DrawingCanvas,
    Pose,
    Warp,
    jittered,
    nearest_word,
)
from vlseg_cli.synthetic.drawing.drawings import all_drawings, drawings_of
from vlseg_cli.synthetic.drawing.objects import Drawing
from vlseg_cli.synthetic.rng import DrawingRng

SIDE, MARGIN = 120, 20
THINGS = sorted(name for name, category in BY_NAME.items() if category.is_thing)
_NEUTRAL = {"white", "grey", "black"}


def _drawn(drawing: Drawing, color: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and mask of a drawing in a box of SIDE px, on a canvas with a margin."""
    rng = DrawingRng(np.random.default_rng(seed).random(31).tolist())
    aspect = rng.uniform(*drawing.aspects[0])
    wide, tall = SIDE * min(1, aspect), SIDE * min(1, 1 / aspect)
    canvas = DrawingCanvas(SIDE + 2 * MARGIN, SIDE + 2 * MARGIN)
    warp = Warp.drawn(rng) if seed else None
    brush = Brush(canvas, 7, Pose(MARGIN, MARGIN, wide, tall), jittered(color, rng), rng, warp=warp)
    drawing.paint(brush)
    return canvas.pixels(), canvas.owners() == 7


def test_every_thing_has_three_trained_drawings_and_one_held_out() -> None:
    assert set(all_drawings()) == set(THINGS)
    for name in THINGS:
        known = all_drawings()[name]
        assert len(known.trained) >= 3 and len(known.held_out) >= 1, name
        assert not set(map(id, known.trained)) & set(map(id, known.held_out))


@pytest.mark.parametrize("name", THINGS)
def test_every_drawing_fills_its_box(name: str) -> None:
    for drawing in drawings_of(name, "trained") + drawings_of(name, "held out"):
        for seed in range(3):
            _, mask = _drawn(drawing, drawing.colors[0], seed)
            aspect = sum(drawing.aspects[0]) / 2
            box = SIDE * SIDE * min(aspect, 1 / aspect)
            assert 0.1 * box < mask.sum() < 1.25 * box
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
            assert 0.6 * min(aspect, 1) < wide / SIDE < 1.45 * min(aspect, 1)
            assert 0.6 * min(1 / aspect, 1) < tall / SIDE < 1.35 * min(1 / aspect, 1)


@pytest.mark.parametrize("name", THINGS)
def test_the_named_color_is_the_most_frequent_that_is_not_neutral(name: str) -> None:
    """A purple bus has purple paint: no other color covers more of it but white, grey or black."""
    for drawing in drawings_of(name, "trained") + drawings_of(name, "held out"):
        right = []
        for seed, color in enumerate(dict.fromkeys(drawing.colors)):
            pixels, mask = _drawn(drawing, color, seed)
            words = Counter(nearest_word(tuple(rgb)) for rgb in pixels[mask].tolist()[::5])
            shades = {"brown", color} | ({"red"} if color == "pink" else set())
            others = [n for word, n in words.items() if word not in _NEUTRAL | shades]
            right.append(words[color] >= max(others, default=0) or color in _NEUTRAL)
        assert np.mean(right) >= 0.7, (drawing, right)
