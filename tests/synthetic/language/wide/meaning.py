"""What a sentence of the wide language means, read from its words and the facts of a scene.

Shares no code with the grammar but its lists of nouns, and knows none of its margins.
"""

import re
from collections.abc import Callable

import numpy as np

from vlseg_cli.synthetic.categories import BY_NAME, COLORS
from vlseg_cli.synthetic.language.wide.nouns import HYPERNYMS, plural_of, words_of
from vlseg_cli.synthetic.scene import Scene, SceneItem

_NOUNS: dict[str, set[frozenset[str]]] = {}
for _name in BY_NAME:
    for _word in words_of(_name):
        for _form in (_word, plural_of(_word)):
            _NOUNS.setdefault(_form, set()).add(frozenset((_name,)))
for _word, _one in HYPERNYMS.items():
    for _form in (_word, plural_of(_word)):
        _NOUNS.setdefault(_form, set()).add(_one.categories)
_NOUN = "|".join(sorted(map(re.escape, _NOUNS), key=len, reverse=True))
_COLOR = "|".join(COLORS)
_AFTER = (
    rf"(?: (?:(?:that|which) (?:is|has an?)|in|painted|colored|of|with the|whose color is"
    rf"|that looks) (?P<after>{_COLOR})\b"
    rf"(?! (?:{_NOUN}|on its|on one|below it|above it|next to it)))"
)
_MENTION = re.compile(
    rf"(?:\b(?P<before>{_COLOR})[ -])?(?:colored )?\b(?P<noun>{_NOUN})\b(?! one\b){_AFTER}?"
)
_CONTRAST = re.compile(rf"\bnot (?:an? |the )?({_COLOR})\b|instead of ({_COLOR})")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_NUMBERS = ("one", "two", "three", "four", "five", "six")
_FILLERS = re.compile(
    r",? please|in (this|the) (picture|image|scene)|at the (?=(bottom|top) of the picture)"
    r"|you can see|\bhere\b|my\b|of the (?=picture|image)"
)
_PLACES: dict[str, Callable[[SceneItem], float]] = {
    "left": lambda item: item.center[0],
    "right": lambda item: -item.center[0],
    "top": lambda item: item.center[1],
    "bottom": lambda item: -item.center[1],
}
_SIDE_WORDS = {
    "left": r"\b(left|leftmost)\b",
    "right": r"\b(right|rightmost)\b",
    "top": r"\b(top|topmost|highest|upper|uppermost|furthest up|up on)\b",
    "bottom": r"\b(bottom|bottommost|lowest|lower|lowermost|furthest down|down on)\b",
}
_BIG = r"\b(big|biggest|bigger|large|largest|larger|huge)\b"
_SMALL = r"\b(small|smallest|smaller|little|littlest|tiny|tiniest)\b"
_RELATIONS: dict[str, Callable[[SceneItem, SceneItem], bool]] = {
    r"left (side )?of|on its right": lambda a, b: a.center[0] < b.center[0],
    r"right (side )?of|on its left": lambda a, b: a.center[0] > b.center[0],
    r"above it|\b(below(?! it)|under|beneath|underneath|lower down)\b": (
        lambda a, b: a.center[1] > b.center[1]
    ),
    r"below it|\b(above(?! it)|over|higher up)\b": lambda a, b: a.center[1] < b.center[1],
    r"\b(next to|beside|by|near|close to|at the side of)\b": lambda a, b: _gap(a, b) <= 10,
    r"\bon\b": lambda a, b: a.on == b.id,
}


def meaning(text: str, kind: str, scene: Scene) -> set[int]:
    """Ids of the items that an expression of a kind refers to."""
    text = _FILLERS.sub(" ", text.removesuffix("?"))
    mentions = list(_MENTION.finditer(text))
    if kind == "color" and (
        found := re.search(rf"\bnot (?:an? |the )?({_COLOR})\b|instead of ({_COLOR})", text)
    ):
        others = {found[1], found[2]}
        if wanted := re.search(rf"\bnot .* but the ({_COLOR}) one", text):
            return _ids(_of(mentions[0]["noun"], wanted[1], scene))
        colors = [
            color
            for color in re.findall(rf"\b({_COLOR})\b(?! orange\b)", text)
            if color not in others
        ]
        return _ids(_of(mentions[0]["noun"], colors[0], scene))
    if kind == "color":
        color = mentions[0]["before"] or mentions[0]["after"] or re.findall(_COLOR, text)[0]
        return _ids(_of(mentions[0]["noun"], color, scene))
    if kind == "negation":
        return _negated(text, mentions[0]["noun"], scene)
    target = mentions[0]
    if re.match(r".*\bbetween the", text) and re.search(r"between (.*) and (.*), ", text):
        target, mentions = mentions[2], [mentions[2], *mentions[:2]]
    group = _of(target["noun"], target["before"] or target["after"], scene)
    if kind == "position":
        return _ids(_at(text, group, scene))
    if kind == "ordinal":
        return _ids([_counted(text, group)])
    if kind == "size":
        return _ids([_sized(text, group)])
    if kind == "relation":
        anchors = [_of(one["noun"], one["before"] or one["after"], scene) for one in mentions[1:]]
        assert all(len(one) == 1 for one in anchors), text
        return _ids(
            _related(text, target, group, [one[0] for one in anchors], max(scene.ids.shape))
        )
    return _ids(group)


def first_named(text: str, scene: Scene) -> list[SceneItem]:
    """The items that the first noun phrase of a text denotes; none for an unknown noun."""
    mention = _MENTION.search(_FILLERS.sub(" ", text))
    return _of(mention["noun"], mention["before"] or mention["after"], scene) if mention else []


def _of(noun: str, color: str | None, scene: Scene) -> list[SceneItem]:
    """The items that a noun denotes in any of its readings."""
    categories = frozenset().union(*_NOUNS[noun])
    items = [item for item in scene.items if item.category in categories]
    return [item for item in items if color is None or item.color == color]


def _ids(items: list[SceneItem]) -> set[int]:
    return {item.id for item in items}


def _negated(text: str, noun: str, scene: Scene) -> set[int]:
    group = _of(noun, None, scene)
    without_noun = text.replace(noun, " ")
    colors = re.findall(rf"\b({_COLOR})\b", without_noun)
    if colors:
        assert len(set(colors)) == 1, text
        return _ids([item for item in group if item.color != colors[0]])
    return _ids(group) - _ids(_extreme(without_noun, group))


def _extreme(text: str, group: list[SceneItem]) -> list[SceneItem]:
    if re.search(_BIG, text) or re.search(_SMALL, text):
        return [_sized(text, group)]
    sides = [side for side, words in _SIDE_WORDS.items() if re.search(words, text)]
    assert len(sides) == 1, text
    return [min(group, key=_PLACES[sides[0]])]


def _at(text: str, group: list[SceneItem], scene: Scene) -> list[SceneItem]:
    if re.search(r"\b(middle|central|center|between|on each side)\b", text):
        assert len(group) == 3
        return [sorted(group, key=lambda item: item.center[0])[1]]
    text = re.sub(r"hand side", "side", text)
    sides = [side for side, words in _SIDE_WORDS.items() if re.search(words, text)]
    height, width = scene.ids.shape
    inside = {
        "left": lambda item: item.center[0] < width / 2,
        "right": lambda item: item.center[0] > width / 2,
        "top": lambda item: item.center[1] < height / 2,
        "bottom": lambda item: item.center[1] > height / 2,
    }
    if len(sides) == 2 or len(group) == 1:
        found = [item for item in group if all(inside[side](item) for side in sides)]
        assert len(found) == 1, text
        return found
    return [min(group, key=_PLACES[sides[0]])]


def _counted(text: str, group: list[SceneItem]) -> SceneItem:
    side = re.search(r"(?:from|at) the (left|right|top|bottom)", text)
    assert side, text
    (index,) = (
        number
        for number, (ordinal, word) in enumerate(zip(_ORDINALS, _NUMBERS, strict=True))
        if re.search(rf"\b{ordinal}\b|(number|place) {word}\b", text)
    )
    return sorted(group, key=_PLACES[side[1]])[index]


def _sized(text: str, group: list[SceneItem]) -> SceneItem:
    line = sorted(group, key=lambda item: item.size)
    small = re.search(_SMALL, text) is not None
    assert small != (re.search(_BIG, text) is not None), text
    return line[0 if small else -1]


def _related(
    text: str, target: re.Match[str], group: list[SceneItem], anchors: list[SceneItem], side: int
) -> list[SceneItem]:
    if len(anchors) == 2:
        low, high = sorted(anchor.center[0] for anchor in anchors)
        rows = sorted(anchor.center[1] for anchor in anchors)
        reach = 0.3 * side
        return [
            item
            for item in group
            if low < item.center[0] < high and rows[0] - reach < item.center[1] < rows[1] + reach
        ]
    relation = text[target.end() :]
    if re.search(r"\b(closest|nearest|smallest distance)\b", relation):
        return [min(group, key=lambda item: _distance(item, anchors[0]))]
    if re.search(r"\b(farthest|furthest|largest distance|most far)\b", relation):
        return [max(group, key=lambda item: _distance(item, anchors[0]))]
    holds = next(holds for words, holds in _RELATIONS.items() if re.search(words, relation))
    meant = [item for item in group if holds(item, anchors[0])]
    return [_sized(text[: target.start()], meant)] if len(meant) > 1 else meant


def _distance(a: SceneItem, b: SceneItem) -> float:
    return float(np.hypot(a.center[0] - b.center[0], a.center[1] - b.center[1]))


def _gap(a: SceneItem, b: SceneItem) -> float:
    dx = max(a.box[0] - b.box[2], b.box[0] - a.box[2], 0)
    dy = max(a.box[1] - b.box[3], b.box[1] - a.box[3], 0)
    return float(np.hypot(dx, dy))
