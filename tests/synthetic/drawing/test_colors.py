"""Color words and the colors drawn for them: variation never crosses into another word."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlseg_cli.synthetic.categories import COLORS
from vlseg_cli.synthetic.drawing.colors import jittered, mixed, nearest_word, shaded
from vlseg_cli.synthetic.drawing.rng import DrawingRng


def test_palette_words_are_far_apart() -> None:
    for one, other in combinations(COLORS.values(), 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 60


@given(st.sampled_from(sorted(COLORS)), st.integers(0, 10**6))
def test_jitter_stays_with_its_word(word: str, seed: int) -> None:
    assert nearest_word(jittered(word, DrawingRng.seeded(seed))) == word


@pytest.mark.parametrize("word", COLORS)
def test_jitter_varies(word: str) -> None:
    dice = DrawingRng.seeded(1)
    assert len({jittered(word, dice) for _ in range(50)}) > 30


def test_shades_go_to_black_and_to_white() -> None:
    assert shaded((100, 50, 200), 0) == (0, 0, 0)
    assert shaded((100, 50, 200), 1) == (100, 50, 200)
    assert shaded((100, 50, 200), 2) == (255, 255, 255)
    assert mixed((0, 0, 0), (200, 100, 50), 0.5) == (100, 50, 25)
