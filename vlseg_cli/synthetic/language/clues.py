"""Clues: one per kind of expression, each a noun phrase and the items that it identifies.

A clue is used only where the facts leave one reading, with a margin that is clear to a person.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

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
_ALONE = 0.25  # share of scenes in which a clue may be spent on an only candidate


@dataclass(frozen=True, slots=True)
class Clue:
    """A noun phrase, the ids of what it means, and whether it is a plural."""

    phrase: str
    targets: tuple[int, ...]
    plural: bool = False


def category_clue(scene: Scene, rng: Generator) -> Clue | None:
    """'the fridge': its category is there once."""
    groups = by_category(scene)
    alone = [items[0] for items in groups.values() if len(items) == 1]
    if not alone:
        return None
    item = choice(rng, alone)
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
    alone = bool(found[True]) and (not found[False] or rng.random() < _ALONE)
    if not found[alone]:
        return None
    item, color = choice(rng, found[alone])
    word = noun(rng, item.category, groups)
    return Clue(phrases.color_phrase(rng, word, color), (item.id,))


def position_clue(scene: Scene, rng: Generator) -> Clue | None:
    """'the leftmost cup', 'the cup in the middle': at least two candidates."""
    for group in shuffled(rng, thing_groups(scene, least=2)):
        found = positions(group, longest_side(scene))
        if found:
            position = choice(rng, tuple(found))
            word = noun(rng, group.category, by_category(scene))
            phrase = phrases.position_phrase(rng, word, group.color, position)
            return Clue(phrase, (found[position].id,))
    return None


def positions(group: Group, side: int) -> dict[str, SceneItem]:
    """Which item is clearly the left, right, top, bottom or middle one; side: longest side, px."""
    found = {}
    for axis, low, high in ((0, "left", "right"), (1, "top", "bottom")):
        line, gaps = in_line(group, axis)
        clear = [gap >= MARGIN * side for gap in gaps]
        if clear[0]:
            found[low] = line[0]
        if clear[-1]:
            found[high] = line[-1]
        if axis == 0 and len(line) == 3 and all(clear):
            found["middle"] = line[1]
    return found


def ordinal_clue(scene: Scene, rng: Generator) -> Clue | None:
    """'the second cup from the left': counted where the neighbors are clearly apart."""
    groups = shuffled(rng, thing_groups(scene, least=2))
    if rng.random() > _ALONE:
        groups.sort(key=lambda group: len(group.items) < 3)  # three or more first
    for group in groups:
        found = ordinals(group, longest_side(scene))
        if found:
            (index, side), item = choice(rng, tuple(found.items()))
            word = noun(rng, group.category, by_category(scene))
            phrase = phrases.ordinal_phrase(rng, word, group.color, index, side)
            return Clue(phrase, (item.id,))
    return None


def ordinals(group: Group, side: int) -> dict[tuple[int, str], SceneItem]:
    """Item at each place (from 0) counted from each side, as far as the order is clear."""
    found = {}
    for axis, low, high in ((0, "left", "right"), (1, "top", "bottom")):
        line, gaps = in_line(group, axis)
        if min(gaps) >= MARGIN * side and len(line) <= len(ORDINALS):
            for index, item in enumerate(line):
                found[index, low] = item
                found[len(line) - 1 - index, high] = item
    return found


def size_clue(scene: Scene, rng: Generator) -> Clue | None:
    """'the small car': its nearest rival differs by ``SIZE_RATIO`` at least."""
    for group in shuffled(rng, thing_groups(scene, least=2)):
        found = sizes(group)
        if found:
            size = choice(rng, tuple(found))
            word = noun(rng, group.category, by_category(scene))
            phrase = phrases.size_phrase(rng, word, group.color, size)
            return Clue(phrase, (found[size].id,))
    return None


def sizes(group: Group) -> dict[str, SceneItem]:
    """Which item is clearly the big or the small one; empty for a single item."""
    line = sorted(group.items, key=lambda item: item.size)
    found = {}
    if len(line) > 1 and line[1].size >= SIZE_RATIO * line[0].size:
        found["small"] = line[0]
    if len(line) > 1 and line[-1].size >= SIZE_RATIO * line[-2].size:
        found["big"] = line[-1]
    return found


def all_clue(scene: Scene, rng: Generator) -> Clue | None:
    """'all the cups', 'both red lamps', seldom 'every cup' for a single one."""
    several = thing_groups(scene, least=2)
    if not several or rng.random() < 0.1:
        several = thing_groups(scene)
    colored = [group for group in several if group.color]
    if colored and rng.random() < _COLORED_ALL:
        several = colored
    if not several:
        return None
    group = choice(rng, several)
    word = noun(rng, group.category, by_category(scene))
    targets = tuple(item.id for item in group.items)
    if rng.random() < _EVERY:
        return Clue(phrases.every_phrase(rng, word, group.color), targets)
    return Clue(phrases.all_phrase(rng, word, group.color, len(targets)), targets, plural=True)


def in_line(group: Group, axis: int) -> tuple[list[SceneItem], list[float]]:
    """The items sorted by center along x (0) or y (1), and the gaps between neighbors, px."""
    line = sorted(group.items, key=lambda item: item.center[axis])
    return line, [b.center[axis] - a.center[axis] for a, b in pairwise(line)]


def longest_side(scene: Scene) -> int:
    """Longest side of the picture, px."""
    side: int = max(scene.ids.shape)
    return side


ClueMaker = Callable[[Scene, Generator], Clue | None]


_RIVALS_FIRST = 0.8  # share of sentences that look for candidates with rivals before others
_EXTRA_WORD = 0.25  # share of sentences with a true adjective more than needed


def relation_clue(scene: Scene, rng: Generator) -> Clue | None:
    """A target told apart by where it is beside one other thing that is told apart itself."""
    groups = shuffled(rng, thing_groups(scene))
    if rng.random() < _RIVALS_FIRST:
        groups.sort(key=lambda group: len(group.items) == 1)
    anchors = shuffled(rng, (group for group in groups if len(group.items) == 1))
    for group in groups:
        for anchor in anchors:
            if anchor.items[0] not in group.items:
                found = list(_told_apart(group, anchor.items[0], longest_side(scene)))
                if found:
                    relation, item, size = choice(rng, found)
                    phrase = _phrase(scene, rng, group, anchor, relation, item, size)
                    return Clue(phrase, (item.id,))
    return None


def _told_apart(
    group: Group, anchor: SceneItem, side: int
) -> Iterator[tuple[str, SceneItem, str | None]]:
    """Relation, item meant, and the size word needed with it (None if the relation suffices)."""
    for relation, holds in RELATIONS.items():
        answers = [(item, holds(item, anchor, side)) for item in group.items]
        meant = tuple(item for item, answer in answers if answer is Holds.YES)
        if not meant or any(answer is Holds.UNCLEAR for _, answer in answers):
            continue
        if len(meant) == 1:
            yield relation, meant[0], None
        else:
            sized = sizes(Group(group.category, group.color, meant))
            yield from ((relation, item, size) for size, item in sized.items())
    line = sorted(group.items, key=lambda item: distance(item, anchor))
    if len(line) > 1:
        near, next_near = distance(line[0], anchor), distance(line[1], anchor)
        if next_near >= SIZE_RATIO * near and next_near - near >= MARGIN * side:
            yield "closest to", line[0], None


def _phrase(
    scene: Scene,
    rng: Generator,
    group: Group,
    anchor: Group,
    relation: str,
    item: SceneItem,
    size: str | None,
) -> str:
    present = by_category(scene)
    everyone = Group(group.category, None, present[group.category])
    if size is None and rng.random() < _EXTRA_WORD:
        size = next((word for word, it in sizes(everyone).items() if it is item), None)
    color = group.color
    if color is None and rng.random() < _EXTRA_WORD:
        color = item.color
    anchor_color = anchor.color
    if anchor_color is None and rng.random() < _EXTRA_WORD:
        anchor_color = anchor.items[0].color
    adjectives = [choice(rng, SIZE_WORDS[size])] if size else []
    adjectives += [color] if color else []
    return phrases.relation_phrase(
        rng,
        adjectives,
        noun(rng, group.category, present),
        relation,
        phrases.head(noun(rng, anchor.category, present), anchor_color),
    )
