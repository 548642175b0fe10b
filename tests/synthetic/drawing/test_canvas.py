"""Owners and colors are written together where the unit box says; jitter keeps the color word."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlseg_cli.synthetic.categories import COLORS
from vlseg_cli.synthetic.drawing.canvas import (
    Brush,
    DrawingCanvas,
    Pose,
    jittered,
    mixed,
    nearest_word,
    shaded,
)
from vlseg_cli.synthetic.drawing.objects import DRAWINGS
from vlseg_cli.synthetic.rng import DrawingRng

GROUND = (40, 200, 40)


def _canvas() -> DrawingCanvas:
    canvas = DrawingCanvas(60, 80)
    Brush(canvas, 1, Pose(0, 0, 80, 60)).rect(GROUND, 0, 0, 1, 1)
    return canvas


def test_a_rectangle_lands_on_its_pixels() -> None:
    canvas = _canvas()
    brush = Brush(canvas, 2, Pose(10, 20, 30, 15))
    brush.rect((200, 10, 10), 0, 0, 1, 1)
    ys, xs = np.nonzero(canvas.owners() == 2)
    assert (xs.min(), ys.min()) == (10, 20)
    assert abs(xs.max() + 1 - 40) <= 1 and abs(ys.max() + 1 - 35) <= 1
    assert brush.box == pytest.approx((10, 20, 40, 35))
    assert abs(canvas.painted(2, brush.box) - 30 * 15) < 45


def test_mirrored_is_the_mirror_image() -> None:
    one, other = _canvas(), _canvas()
    for canvas, mirrored in ((one, False), (other, True)):
        brush = Brush(canvas, 2, Pose(20, 10, 40, 40, mirrored))
        brush.poly((200, 10, 10), (0, 0), (0.4, 0), (0, 1))
    left, right = one.owners() == 2, other.owners()[:, ::-1] == 2
    assert (left ^ right).sum() < 0.15 * left.sum()


def test_rotation_keeps_the_lower_edge_in_place() -> None:
    canvas = _canvas()
    brush = Brush(canvas, 2, Pose(30, 10, 20, 40, False, 30))
    brush.rect((200, 10, 10), 0.45, 0.5, 0.55, 1)
    ys, xs = np.nonzero(canvas.owners() == 2)
    assert xs[ys > 45].mean() == pytest.approx(40, abs=3)
    assert xs[ys < 40].mean() > 43


@pytest.mark.parametrize("category", DRAWINGS)
@pytest.mark.parametrize("mirrored", [False, True])
def test_every_drawing_fills_its_box_and_owns_its_pixels(category: str, mirrored: bool) -> None:
    for variant, shape in enumerate(DRAWINGS[category].aspects):
        canvas = DrawingCanvas(120, 240)
        Brush(canvas, 1, Pose(0, 0, 240, 120)).rect(GROUND, 0, 0, 1, 1)
        wide, tall = 72 * sum(shape) / 2, 72
        pose = Pose(120 - wide / 2, 24, wide, tall, mirrored)
        brush = Brush(
            canvas, 2, pose, (180, 40, 60), DrawingRng(DrawingRng.seeded(variant).block())
        )
        DRAWINGS[category].paint(brush)
        owned, touched = canvas.owners() == 2, (canvas.pixels() != GROUND).any(2)
        assert touched[owned].all()
        assert (touched & ~owned).sum() < 0.5 * owned.sum()
        ys, xs = np.nonzero(owned)
        assert 0.7 * tall < ys.max() + 1 - ys.min() < 1.1 * tall
        assert 0.7 * wide < xs.max() + 1 - xs.min() < 1.15 * wide
        assert ys.max() + 1 == pytest.approx(24 + tall, abs=4) or category == "bird"


def test_color_words_are_far_apart() -> None:
    for one, other in combinations(COLORS.values(), 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 60


@given(st.sampled_from(sorted(COLORS)), st.integers(0, 10**6))
def test_jitter_keeps_the_nearest_color_word(word: str, seed: int) -> None:
    assert nearest_word(jittered(word, DrawingRng.seeded(seed))) == word


@pytest.mark.parametrize("word", COLORS)
def test_jitter_varies(word: str) -> None:
    rng = DrawingRng.seeded(1)
    assert len({jittered(word, rng) for _ in range(50)}) > 30


def test_shading_reaches_black_and_white() -> None:
    assert shaded((100, 50, 200), 0) == (0, 0, 0)
    assert shaded((100, 50, 200), 1) == (100, 50, 200)
    assert shaded((100, 50, 200), 2) == (255, 255, 255)
    assert mixed((0, 0, 0), (200, 100, 50), 0.5) == (100, 50, 25)
