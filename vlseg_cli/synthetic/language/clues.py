"""One clue each: what in a scene can be told apart by it, and the phrase that says so.

A clue is used only where the facts leave one reading, with a margin a person sees at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from numpy.random import Generator

from vlseg_cli.synthetic.language import noun_phrases as phrases
from vlseg_cli.synthetic.language.candidates import Group, by_category, by_color, thing_groups
from vlseg_cli.synthetic.language.noun_phrases import noun
from vlseg_cli.synthetic.language.relations import MARGIN
from vlseg_cli.synthetic.language.rng import pick, shuffled
from vlseg_cli.synthetic.language.templates import ORDINALS
from vlseg_cli.synthetic.scene import Scene, SceneItem

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
    item = pick(rng, alone)
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
    item, color = pick(rng, found[alone])
    word = noun(rng, item.category, groups)
    return Clue(phrases.color_phrase(rng, word, color), (item.id,))


def position_clue(scene: Scene, rng: Generator) -> Clue | None:
    """'the leftmost cup', 'the cup in the middle': at least two candidates."""
    for group in shuffled(rng, thing_groups(scene, least=2)):
        found = positions(group, longest_side(scene))
        if found:
            position = pick(rng, tuple(found))
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
            (index, side), item = pick(rng, tuple(found.items()))
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
            size = pick(rng, tuple(found))
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
    group = pick(rng, several)
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
