"""What a no-target sentence names is truly not to be seen."""

import re

import numpy as np

from vlseg_cli.synthetic.categories import CATEGORIES, COLORS
from vlseg_cli.synthetic.language.absent import no_target
from vlseg_cli.synthetic.language.noun_phrases import plural
from vlseg_cli.synthetic.scene import Scene


def test_nothing_in_the_scene_fits_the_sentence(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(0)
    by_count = by_color = by_category = 0
    for scene in scenes:
        for _ in range(10):
            sentence = no_target(scene, rng)
            assert (sentence.kind, sentence.targets) == ("none", ())
            category = _named_category(sentence.text)
            there = [item.color for item in scene.items if item.category == category]
            ordinal = re.search(r"\b(second|third|fourth|fifth|sixth|number \w+)\b", sentence.text)
            if ordinal:
                by_count += 1
            elif there:
                (color,) = (word for word in COLORS if re.search(rf"\b{word}\b", sentence.text))
                assert color not in there
                by_color += 1
            else:
                by_category += 1
    assert min(by_count, by_color, by_category) > 30


def test_the_place_asked_for_is_beyond_the_last(scenes: list[Scene]) -> None:
    words = ("second", "third", "fourth", "fifth", "sixth")
    rng = np.random.default_rng(1)
    for scene in scenes:
        for _ in range(10):
            text = no_target(scene, rng).text
            if not (found := re.search("|".join(words), text)):
                continue
            place = words.index(found[0]) + 2
            category = _named_category(text)
            colors = [word for word in COLORS if re.search(rf"\b{word}\b", text)]
            fitting = [
                item
                for item in scene.items
                if item.category == category and (not colors or item.color in colors)
            ]
            assert len(fitting) < place


def _named_category(text: str) -> str:
    text = text.replace("in this picture", "").replace("in the image", "")
    forms = {
        form: category.name
        for category in CATEGORIES
        for word in (category.name, *category.words)
        for form in (word, plural(word))
    }
    longest = sorted(forms, key=len, reverse=True)
    return next(forms[form] for form in longest if re.search(rf"\b{form}\b", text))
