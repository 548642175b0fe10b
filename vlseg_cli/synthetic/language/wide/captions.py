"""Captions of scenes: 'a red car next to two trees', true by the facts."""

from itertools import permutations

from numpy.random import Generator

from vlseg_cli.synthetic.language.clues import longest_side
from vlseg_cli.synthetic.language.noun_phrases import article, head
from vlseg_cli.synthetic.language.relations import RELATIONS, Holds
from vlseg_cli.synthetic.language.templates import NUMBERS
from vlseg_cli.synthetic.language.wide.nouns import nameable, noun, plural_of
from vlseg_cli.synthetic.rng import choice, shuffled
from vlseg_cli.synthetic.scene import Group, Scene, by_category, by_color

_MOST_GROUPS = 4  # that a caption names
_COLORED = 0.6  # share of groups of one color whose color is stated
_WORDS = {"left of": "to the left of", "right of": "to the right of"}


def caption(scene: Scene, rng: Generator) -> str:
    """What the scene shows, things first: 'two blue cups, a lamp above a table and a wall'.

    Empty for a scene in which nothing has a name.
    """
    present = nameable(scene)
    groups = shuffled(rng, (Group(name, None, items) for name, items in present.items()))
    groups.sort(key=lambda group: not group.items[0].is_thing)
    groups = groups[:_MOST_GROUPS]
    parts = [_counted(scene, rng, group) for group in groups]
    related = _related_pairs(scene, groups)
    if related:
        first, relation, second = choice(rng, related)
        pair = f"{parts[first]} {_WORDS.get(relation, relation)} {parts[second]}"
        rest = [part for number, part in enumerate(parts) if number not in (first, second)]
        parts = [pair, *rest]
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else ""


def _counted(scene: Scene, rng: Generator, group: Group) -> str:
    """'a red car', 'two trees', 'some cups', 'grass'."""
    word = noun(rng, group.category, by_category(scene))[0]
    count, colors = len(group.items), tuple(by_color(group.items))
    if not group.items[0].is_thing:
        return word
    color = colors[0] if len(colors) == 1 and rng.random() < _COLORED else None
    if count == 1:
        named = head(word, color)
        return f"{article(named)} {named}"
    number = NUMBERS[count - 1] if count <= len(NUMBERS) else "many"
    return f"{number} {head(plural_of(word), color)}"


def _related_pairs(scene: Scene, groups: list[Group]) -> list[tuple[int, str, int]]:
    """Positions of two groups of things and a relation that holds for each pair of their items."""
    side = longest_side(scene)
    things = [number for number, group in enumerate(groups) if group.items[0].is_thing]
    return [
        (one, relation, other)
        for one, other in permutations(things, 2)
        for relation, holds in RELATIONS.items()
        if all(
            holds(a, b, side) is Holds.YES for a in groups[one].items for b in groups[other].items
        )
    ]
