"""Clues: one per kind of expression, each a noun phrase and the items that it identifies.

A clue is used only where the facts leave one reading, with a margin that is clear to a person.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from numpy.random import Generator

from vlseg_cli.synthetic.language import noun_phrases as phrases
from vlseg_cli.synthetic.language.noun_phrases import noun
from vlseg_cli.synthetic.language.relations import MARGIN, RELATIONS, Holds, distance
from vlseg_cli.synthetic.language.templates import ORDINALS, SIZE_WORDS
from vlseg_cli.synthetic.rng import choice, shuffled
from vlseg_cli.synthetic.scene import Group, Scene, SceneItem, by_category, by_color, thing_groups

SIZE_RATIO = 1.35
_COLORED_ALL = 0.4  # share of 'all' phrases that try a color first
_EVERY = 0.3  # share of 'all' phrases in the singular
_SINGLE = 0.25  # share of scenes in which a clue may identify an only candidate
_RIVALS_FIRST = 0.8  # share of relations that try groups of several candidates first
_EXTRA_WORD = 0.25  # share of relations with a redundant adjective

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Clue:
    """A noun phrase, the ids of the items that it identifies, and whether it is a plural."""

    phrase: str
    targets: tuple[int, ...]
    plural: bool = False


ClueMaker = Callable[[Scene, Generator], Clue | None]


def category_clue(scene: Scene, rng: Generator) -> Clue | None:
    """'the fridge': the only item of its category."""
    groups = by_category(scene)
    single = [items[0] for items in groups.values() if len(items) == 1]
    if not single:
        return None
    item = choice(rng, single)
    word = noun(rng, item.category, groups)
    return Clue(phrases.category_phrase(rng, word, item.is_thing), (item.id,))


def color_clue(scene: Scene, rng: Generator) -> Clue | None:
    """'the red cup': among cups of other colors, or sometimes an only cup."""
    groups = by_category(scene)
    found: dict[bool, list[tuple[SceneItem, str]]] = {True: [], False: []}
    for items in groups.values():
        if items[0].is_thing:
            for color, same in by_color(items).items():
                if len(same) == 1:
                    found[len(items) == 1].append((same[0], color))
    single = bool(found[True]) and (not found[False] or rng.random() < _SINGLE)
    if not found[single]:
        return None
    item, color = choice(rng, found[single])
    word = noun(rng, item.category, groups)
    return Clue(phrases.color_phrase(rng, word, color), (item.id,))


def position_clue(scene: Scene, rng: Generator) -> Clue | None:
    """'the leftmost cup', 'the cup in the middle': at least two candidates."""
    groups = shuffled(rng, thing_groups(scene, least=2))
    return _group_clue(scene, rng, groups, positions, phrases.position_phrase)


def ordinal_clue(scene: Scene, rng: Generator) -> Clue | None:
    """'the second cup from the left': counted where the neighbors are clearly apart."""
    groups = shuffled(rng, thing_groups(scene, least=2))
    if rng.random() > _SINGLE:
        groups.sort(key=lambda group: len(group.items) < 3)  # three or more first
    return _group_clue(scene, rng, groups, ordinals, phrases.ordinal_phrase)


def size_clue(scene: Scene, rng: Generator) -> Clue | None:
    """'the small car': its nearest rival differs by ``SIZE_RATIO`` at least."""
    groups = shuffled(rng, thing_groups(scene, least=2))
    return _group_clue(scene, rng, groups, lambda group, _: sizes(group), phrases.size_phrase)


def all_clue(scene: Scene, rng: Generator) -> Clue | None:
    """'all the cups', 'both red lamps', seldom 'every cup' for a single one."""
    groups = thing_groups(scene, least=2)
    if not groups or rng.random() < 0.1:
        groups = thing_groups(scene)
    colored = [group for group in groups if group.color]
    if colored and rng.random() < _COLORED_ALL:
        groups = colored
    if not groups:
        return None
    group = choice(rng, groups)
    word = noun(rng, group.category, by_category(scene))
    targets = tuple(item.id for item in group.items)
    if rng.random() < _EVERY:
        return Clue(phrases.every_phrase(rng, word, group.color), targets)
    return Clue(phrases.all_phrase(rng, word, group.color, len(targets)), targets, plural=True)


def relation_clue(scene: Scene, rng: Generator) -> Clue | None:
    """'the small red car left of the tree': identified relative to an only item, the anchor.

    The relation holds for one candidate and clearly fails for the others; color and size words
    narrow the candidates down first, or are added where they are true.
    """
    groups = shuffled(rng, thing_groups(scene))
    if rng.random() < _RIVALS_FIRST:
        groups.sort(key=lambda group: len(group.items) == 1)
    anchors = shuffled(rng, (group for group in groups if len(group.items) == 1))
    for group in groups:
        for anchor in anchors:
            if anchor.items[0] not in group.items:
                found = list(related(group, anchor.items[0], longest_side(scene)))
                if found:
                    relation, item, size = choice(rng, found)
                    phrase = _relation_phrase(scene, rng, group, anchor, relation, item, size)
                    return Clue(phrase, (item.id,))
    return None


def _group_clue(
    scene: Scene,
    rng: Generator,
    groups: list[Group],
    identify: Callable[[Group, int], dict[_Key, SceneItem]],
    phrase: Callable[[Generator, str, str | None, _Key], str],
) -> Clue | None:
    """A clue for the first group in which one item can be identified."""
    for group in groups:
        found = identify(group, longest_side(scene))
        if found:
            key = choice(rng, tuple(found))
            word = noun(rng, group.category, by_category(scene))
            return Clue(phrase(rng, word, group.color, key), (found[key].id,))
    return None


def positions(group: Group, side: int) -> dict[str, SceneItem]:
    """Which item is clearly the left, right, top, bottom or middle one; side: longest side, px."""
    found = {}
    for axis, low, high in ((0, "left", "right"), (1, "top", "bottom")):
        line, gaps = _sorted_along(group, axis)
        clear = [gap >= MARGIN * side for gap in gaps]
        if clear[0]:
            found[low] = line[0]
        if clear[-1]:
            found[high] = line[-1]
        if axis == 0 and len(line) == 3 and all(clear):
            found["middle"] = line[1]
    return found


def ordinals(group: Group, side: int) -> dict[tuple[int, str], SceneItem]:
    """The item at each index (from 0) counted from each side, as far as the order is clear."""
    found = {}
    for axis, low, high in ((0, "left", "right"), (1, "top", "bottom")):
        line, gaps = _sorted_along(group, axis)
        if min(gaps) >= MARGIN * side and len(line) <= len(ORDINALS):
            for index, item in enumerate(line):
                found[index, low] = item
                found[len(line) - 1 - index, high] = item
    return found


def sizes(group: Group) -> dict[str, SceneItem]:
    """Which item is clearly the big or the small one; empty for a single item."""
    line = sorted(group.items, key=lambda item: item.size)
    found = {}
    if len(line) > 1 and line[1].size >= SIZE_RATIO * line[0].size:
        found["small"] = line[0]
    if len(line) > 1 and line[-1].size >= SIZE_RATIO * line[-2].size:
        found["big"] = line[-1]
    return found


def related(
    group: Group, anchor: SceneItem, side: int
) -> Iterator[tuple[str, SceneItem, str | None]]:
    """Relation, target, and the size word needed with it (None if the relation suffices)."""
    for relation, holds in RELATIONS.items():
        results = [(item, holds(item, anchor, side)) for item in group.items]
        held = tuple(item for item, result in results if result is Holds.YES)
        if not held or any(result is Holds.UNCLEAR for _, result in results):
            continue
        if len(held) == 1:
            yield relation, held[0], None
        else:
            sized = sizes(Group(group.category, group.color, held))
            yield from ((relation, item, size) for size, item in sized.items())
    line = sorted(group.items, key=lambda item: distance(item, anchor))
    if len(line) > 1:
        near, next_near = distance(line[0], anchor), distance(line[1], anchor)
        if next_near >= SIZE_RATIO * near and next_near - near >= MARGIN * side:
            yield "closest to", line[0], None


def _relation_phrase(
    scene: Scene,
    rng: Generator,
    group: Group,
    anchor: Group,
    relation: str,
    item: SceneItem,
    size: str | None,
) -> str:
    present = by_category(scene)
    category = Group(group.category, None, present[group.category])
    if size is None and rng.random() < _EXTRA_WORD:
        size = next((word for word, it in sizes(category).items() if it is item), None)
    color = group.color
    if color is None and rng.random() < _EXTRA_WORD:
        color = item.color
    anchor_color = anchor.color
    if anchor_color is None and rng.random() < _EXTRA_WORD:
        anchor_color = anchor.items[0].color
    adjectives = [choice(rng, SIZE_WORDS[size])] if size else []
    adjectives += [color] if color else []
    word = noun(rng, group.category, present)
    other = phrases.head(noun(rng, anchor.category, present), anchor_color)
    return phrases.relation_phrase(rng, adjectives, word, relation, other)


def _sorted_along(group: Group, axis: int) -> tuple[list[SceneItem], list[float]]:
    """The items sorted by center along x (0) or y (1), and the gaps between neighbors, px."""
    line = sorted(group.items, key=lambda item: item.center[axis])
    return line, [b.center[axis] - a.center[axis] for a, b in pairwise(line)]


def longest_side(scene: Scene) -> int:
    """The image's longest side, px."""
    return int(max(scene.ids.shape))
