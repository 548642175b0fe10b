"""Every referring expression has exactly one reading: the annotated one; no-target ones have none.

A small parser that shares no code with the grammar takes each sentence apart and evaluates it on
the facts, without the grammar's margins.
"""

import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from vlseg_cli.synthetic.categories import CATEGORIES, COLORS
from vlseg_cli.synthetic.language.noun_phrases import plural
from vlseg_cli.synthetic.referring import no_target_expression, referring_expression
from vlseg_cli.synthetic.scene import KINDS, Scene, SceneItem

_NOUNS = {
    form: category.name
    for category in CATEGORIES
    for word in (category.name, *category.words)
    for form in (word, plural(word))
}
_NOUN = "|".join(sorted(_NOUNS, key=len, reverse=True))
_COLOR = "|".join(COLORS)
_MENTION = re.compile(
    rf"(?:\b({_COLOR}) )?(?:coloured )?\b({_NOUN})\b(?: (?:that is|which is|in) ({_COLOR})\b)?"
)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_NUMBERS = ("one", "two", "three", "four", "five", "six")
_BIG, _SMALL = (
    r"\b(big|biggest|bigger|large|largest)\b",
    r"\b(small|smallest|smaller|little|tiny)\b",
)
_PLACES: dict[str, Callable[[SceneItem], float]] = {
    r"\bleft(most)?\b": lambda item: item.center[0],
    r"\bright(most)?\b": lambda item: -item.center[0],
    r"\b(top(most)?|highest|upper(most)?)\b": lambda item: item.center[1],
    r"\b(bottom|lowest|lower(most)?|furthest down)\b": lambda item: -item.center[1],
}
_RELATIONS: dict[str, Callable[[SceneItem, SceneItem], bool]] = {
    r"\bleft of\b": lambda a, b: a.center[0] < b.center[0],
    r"\bright of\b": lambda a, b: a.center[0] > b.center[0],
    r"\b(above|over|higher up)\b": lambda a, b: a.center[1] < b.center[1],
    r"\b(below|under|beneath)\b": lambda a, b: a.center[1] > b.center[1],
    r"\b(next to|beside|by)\b": lambda a, b: _gap(a, b) <= 10,
    r"\b(on|on top of|standing on|that is on)\b": lambda a, b: a.on == b.id,
}


def meaning(text: str, kind: str, scene: Scene) -> set[int]:
    """Ids of the items a sentence of a known kind means."""
    text = text.replace("in this picture", "").replace("in the image", "")
    mentions = list(_MENTION.finditer(text))
    group = _named(mentions[0], scene)
    margin = 0.06 * max(scene.ids.shape)
    if kind == "position":
        return _at(text, group, margin)
    if kind == "ordinal":
        return _counted(text, group, margin)
    if kind == "size":
        return {_sized(text, group).id}
    if kind == "relation":
        return _related(text[: mentions[1].start()], group, *_named(mentions[1], scene))
    return {item.id for item in group}


def _named(mention: re.Match[str], scene: Scene) -> list[SceneItem]:
    color = mention[1] or mention[3]
    same = [item for item in scene.items if item.category == _NOUNS[mention[2]]]
    return [item for item in same if color is None or item.color == color]


def _at(text: str, group: list[SceneItem], margin: float) -> set[int]:
    if re.search(r"\b(middle|central|centre|between)\b", text):
        line = sorted(group, key=lambda item: item.center[0])
        assert len(group) == 3
        assert line[0].center[0] + margin <= line[1].center[0] <= line[2].center[0] - margin
        return {line[1].id}
    (key,) = (key for word, key in _PLACES.items() if re.search(word, text))
    line = sorted(group, key=key)
    assert key(line[1]) - key(line[0]) >= margin
    return {line[0].id}


def _counted(text: str, group: list[SceneItem], margin: float) -> set[int]:
    side = re.search(r"(?:from|at) the (left|right|top|bottom)", text)
    assert side
    (index,) = (
        number
        for number, (ordinal, word) in enumerate(zip(_ORDINALS, _NUMBERS, strict=True))
        if re.search(rf"\b{ordinal}\b|number {word}\b", text)
    )
    key = next(key for word, key in _PLACES.items() if re.search(word, side[1]))
    line = sorted(group, key=key)
    assert min(key(b) - key(a) for a, b in pairwise(line)) >= margin
    return {line[index].id}


def _sized(text: str, group: list[SceneItem]) -> SceneItem:
    line = sorted(group, key=lambda item: item.size)
    small = re.search(_SMALL, text) is not None
    assert small != (re.search(_BIG, text) is not None)
    if len(line) > 1:
        assert line[1 if small else -1].size >= 1.35 * line[0 if small else -2].size
    return line[0 if small else -1]


def _related(text: str, group: list[SceneItem], anchor: SceneItem) -> set[int]:
    if re.search(r"\b(closest|nearest)\b", text):
        return {min(group, key=lambda item: _distance(item, anchor)).id}
    holds = next(holds for word, holds in _RELATIONS.items() if re.search(word, text))
    meant = [item for item in group if holds(item, anchor)]
    if len(meant) > 1:
        meant = [_sized(text, meant)]
    return {item.id for item in meant}


def _distance(a: SceneItem, b: SceneItem) -> float:
    return float(np.hypot(a.center[0] - b.center[0], a.center[1] - b.center[1]))


def _gap(a: SceneItem, b: SceneItem) -> float:
    dx = max(a.box[0] - b.box[2], b.box[0] - a.box[2], 0)
    dy = max(a.box[1] - b.box[3], b.box[1] - a.box[3], 0)
    return float(np.hypot(dx, dy))


@pytest.mark.parametrize("kind", KINDS)
def test_an_expression_identifies_exactly_its_targets(kind: str, scenes: list[Scene]) -> None:
    rng = np.random.default_rng(1)
    read = 0
    for scene in scenes:
        for _ in range(12):
            sentence = referring_expression(scene, rng, kind)
            if sentence is not None:
                assert sentence.kind == kind
                assert meaning(sentence.text, kind, scene) == set(sentence.targets), sentence
                assert sentence.text == sentence.text.lower()
                read += 1
    assert read > 100


def test_a_single_item_allows_no_comparison(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(2)
    scene = scenes[0]
    one = next(item for item in scene.items if item.is_thing)
    alone = Scene(scene.seed, scene.scene_type, scene.pixels, scene.ids, (one,))
    for kind in ("position", "ordinal", "size", "relation"):
        assert referring_expression(alone, rng, kind) is None
    assert referring_expression(alone, rng) is not None


def test_an_empty_scene_has_no_expression(scenes: list[Scene]) -> None:
    scene = scenes[0]
    empty = Scene(scene.seed, scene.scene_type, scene.pixels, scene.ids, ())
    assert referring_expression(empty, np.random.default_rng(3)) is None


def test_kinds_are_balanced(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(4)
    found = [referring_expression(scene, rng) for scene in scenes for _ in range(10)]
    shares = Counter(sentence.kind for sentence in found if sentence is not None)
    assert min(shares[kind] for kind in KINDS) >= 0.08 * shares.total()


def test_weights_choose_the_kinds(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(5)
    kinds = {
        sentence.kind
        for scene in scenes
        if (sentence := referring_expression(scene, rng, weights={"color": 1.0, "category": 1e-9}))
    }
    assert "color" in kinds
    assert kinds <= {"color", "category"}


def test_no_target_expressions_match_no_item(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(0)
    by_count = by_color = by_category = 0
    for scene in scenes:
        for _ in range(10):
            sentence = no_target_expression(scene, rng)
            assert (sentence.kind, sentence.targets) == ("none", ())
            category = _category_of(sentence.text)
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


def test_ordinals_without_target_are_beyond_the_last_item(scenes: list[Scene]) -> None:
    words = ("second", "third", "fourth", "fifth", "sixth")
    rng = np.random.default_rng(1)
    for scene in scenes:
        for _ in range(10):
            text = no_target_expression(scene, rng).text
            if not (found := re.search("|".join(words), text)):
                continue
            place = words.index(found[0]) + 2
            category = _category_of(text)
            colors = [word for word in COLORS if re.search(rf"\b{word}\b", text)]
            fitting = [
                item
                for item in scene.items
                if item.category == category and (not colors or item.color in colors)
            ]
            assert len(fitting) < place


def _category_of(text: str) -> str:
    text = text.replace("in this picture", "").replace("in the image", "")
    forms = {
        form: category.name
        for category in CATEGORIES
        for word in (category.name, *category.words)
        for form in (word, plural(word))
    }
    longest = sorted(forms, key=len, reverse=True)
    return next(forms[form] for form in longest if re.search(rf"\b{form}\b", text))
