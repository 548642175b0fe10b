"""Nothing in the scene fits an expression without a target, by the facts of the scene."""

import re

import numpy as np
import pytest
from synthetic.language.wide.meaning import meaning

from vlseg_cli.synthetic.language.clues import Clue
from vlseg_cli.synthetic.language.wide import absence
from vlseg_cli.synthetic.language.wide.clues import Speaker
from vlseg_cli.synthetic.language.wide.nouns import words_of
from vlseg_cli.synthetic.referring import no_target_expression
from vlseg_cli.synthetic.scene import Scene, by_category

_READ_AS = {
    "_color": "color",
    "_relation": "relation",
    "_place": "position",
    "_ordinal": "ordinal",
}


@pytest.mark.parametrize("maker", _READ_AS)
def test_nearly_fitting_expressions_fit_nothing(maker: str, wide_scenes: list[Scene]) -> None:
    rng = np.random.default_rng(0)
    read = 0
    for scene in wide_scenes:
        clue: Clue | None = getattr(absence, maker)(Speaker(scene, rng))
        if clue is not None:
            assert clue.targets == ()
            assert not _fits(clue.phrase, _READ_AS[maker], scene), clue
            read += 1
    assert read > 100


def _fits(phrase: str, kind: str, scene: Scene) -> bool:
    if kind == "color" and phrase.startswith("all "):
        kind = "all"
    try:
        return bool(meaning(phrase, kind, scene))
    except (IndexError, AssertionError):  # counted beyond the last; none in that part
        return False


def test_absent_categories_have_no_word_of_a_visible_one(wide_scenes: list[Scene]) -> None:
    for scene in wide_scenes:
        visible = {word for name in by_category(scene) for word in words_of(name)}
        for name in absence.absent_categories(scene):
            assert visible.isdisjoint(words_of(name))


def test_half_of_the_absent_categories_are_like_a_visible_one(wide_scenes: list[Scene]) -> None:
    rng = np.random.default_rng(1)
    scene = next(scene for scene in wide_scenes if "cow" in by_category(scene))
    names = [absence.absent_name(scene, rng) for _ in range(300)]
    animals = {"cat", "dog", "sheep", "horse", "bird", "pig", "duck", "fish", "elephant", "rabbit"}
    assert sum(name in animals for name in names) > 100


def test_expressions_of_all_forms_have_no_target(wide_scenes: list[Scene]) -> None:
    rng = np.random.default_rng(2)
    sentences = [no_target_expression(scene, rng) for scene in wide_scenes for _ in range(3)]
    assert {(one.kind, one.targets) for one in sentences} == {("none", ())}
    for form in (r"\bleft of\b", r"\bsecond\b|two\b", r"\bsmall", r"\ball\b", r"\bred\b"):
        assert sum(bool(re.search(form, one.text)) for one in sentences) > 5
