"""A caption counts what is there, and its relation holds."""

import re

import numpy as np

from vlseg_cli.synthetic.language.templates import NUMBERS
from vlseg_cli.synthetic.language.wide.captions import caption
from vlseg_cli.synthetic.language.wide.corpus import split, trained_words
from vlseg_cli.synthetic.language.wide.nouns import plural_of, words_of
from vlseg_cli.synthetic.scene import Scene, by_category

_ORDERED = {" to the left of ": 0, " above ": 1}


def test_numbers_are_those_of_the_items(wide_scenes: list[Scene]) -> None:
    rng = np.random.default_rng(0)
    checked = 0
    for scene in wide_scenes:
        text = caption(scene, rng)
        for name, items in by_category(scene).items():
            for word in words_of(name):
                number = re.search(rf"\b({'|'.join(NUMBERS)})(?: \w+)? {plural_of(word)}\b", text)
                if number and items[0].is_thing and plural_of(word) != word:
                    assert NUMBERS.index(number[1]) + 1 == len(items), text
                    checked += 1
    assert checked > 100


def test_relations_hold(wide_scenes: list[Scene]) -> None:
    rng = np.random.default_rng(1)
    checked = 0
    for scene in wide_scenes:
        text = caption(scene, rng)
        for relation, axis in _ORDERED.items():
            if text.count(relation) == 1:
                before, after = text.split(relation)
                first, second = _named(scene, before), _named(scene, re.split(",| and ", after)[0])
                if len(first) == len(second) == 1:
                    assert _least(scene, first[0], axis) < _least(scene, second[0], axis), text
                    checked += 1
    assert checked > 20


def _named(scene: Scene, text: str) -> list[str]:
    return [
        name
        for name in by_category(scene)
        if any(
            re.search(rf"\b({word}|{plural_of(word)})$", text.strip()) for word in words_of(name)
        )
    ]


def _least(scene: Scene, category: str, axis: int) -> float:
    return min(item.center[axis] for item in scene.of(category))


def test_a_caption_has_trained_words_and_begins_with_a_thing(wide_scenes: list[Scene]) -> None:
    rng, known = np.random.default_rng(2), {*trained_words(), "many", "to"}
    for scene in wide_scenes:
        text = caption(scene, rng)
        assert text and set(split(text)) <= known, text


def test_an_empty_scene_has_no_caption(wide_scenes: list[Scene]) -> None:
    scene = wide_scenes[0]
    empty = Scene(0, "", scene.pixels, scene.ids, (), scene.categories, "wide")
    assert caption(empty, np.random.default_rng(3)) == ""
