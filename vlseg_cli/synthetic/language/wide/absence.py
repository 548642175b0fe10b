"""Clues that no item fits, many of them nearly fitting: nothing is the right answer to them."""

from numpy.random import Generator

from vlseg_cli.synthetic.categories import BY_NAME, COLORS
from vlseg_cli.synthetic.language.clues import Clue, longest_side
from vlseg_cli.synthetic.language.noun_phrases import head, plural
from vlseg_cli.synthetic.language.relations import RELATIONS, Holds
from vlseg_cli.synthetic.language.templates import NUMBERS, ORDINALS, SIDES
from vlseg_cli.synthetic.language.wide.clues import (
    SIMILAR,
    ClueMaker,
    Speaker,
    anchor_phrase,
    at_place,
    ordinal_phrase,
)
from vlseg_cli.synthetic.language.wide.frames import keys
from vlseg_cli.synthetic.language.wide.nouns import (
    has_noun,
    kin_of,
    wide_groups,
    words_of,
)
from vlseg_cli.synthetic.language.wide.outside import outside_noun
from vlseg_cli.synthetic.rng import choice, shuffled, weighted_order
from vlseg_cli.synthetic.scene import Scene, by_category, by_color

_OPPOSITE = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
_NEAR_KIN = 0.5  # share of absent categories that share a group with a present one
_DESCRIBED = 0.5  # share of absent categories with a color, a position or a relation


def absent_clue(speaker: Speaker, moving: bool = False) -> Clue:
    """A random clue without a target; moving: nor would it have one if the items moved."""
    weights = {name: weight for name, weight in _WEIGHTS.items() if not moving or name in _STEADY}
    for name in weighted_order(speaker.rng, weights):
        clue = _CLUES[name](speaker)
        if clue is not None:
            return clue
    return _outside(speaker)


def absent_categories(scene: Scene) -> list[str]:
    """Names that the hand draws elsewhere and no word of which denotes an item of the scene."""
    present = by_category(scene)
    words = {word for name in present for word in words_of(name)}
    return [
        name
        for name in scene.categories
        if name not in present and has_noun(name, present) and words.isdisjoint(words_of(name))
    ]


def absent_name(scene: Scene, rng: Generator) -> str | None:
    """One of ``absent_categories``, often from a group with a present category."""
    absent = absent_categories(scene)
    if rng.random() < _NEAR_KIN:
        kin = kin_of(by_category(scene))
        absent = [name for name in absent if name in kin] or absent
    return choice(rng, absent) if absent else None


def _category(speaker: Speaker) -> Clue | None:
    """'the cat' where there is none, 'the red cat', 'the cat on the left', 'all cats'."""
    name = absent_name(speaker.scene, speaker.rng)
    return None if name is None else described(speaker, name)


def described(speaker: Speaker, name: str) -> Clue:
    """Any clue about an absent category or a word that no category has."""
    rng, is_category = speaker.rng, name in BY_NAME
    if is_category and not BY_NAME[name].is_thing:
        return Clue(speaker.phrase("stuff", **speaker.nouns(name)), ())
    color = choice(rng, tuple(COLORS))
    plain = speaker.nouns(name) if is_category else outside_slots(name)
    colored = speaker.nouns(name, color) if is_category else outside_slots(name, color)
    if not speaker.often(_DESCRIBED):
        return Clue(speaker.phrase("category", **plain), ())
    anchors = [group for group in wide_groups(speaker.scene) if len(group.items) == 1]
    kind = choice(rng, ("color", "position", "place", "size", "ordinal", "relation", "all"))
    if kind == "color":
        return Clue(speaker.phrase("color", **colored), ())
    if kind == "ordinal":
        index, side = int(3 * rng.random()), choice(rng, SIDES)
        slots = plain | {"o": ORDINALS[index], "k": NUMBERS[index], "side": side}
        return Clue(speaker.phrase("ordinal", **slots), ())
    if kind == "relation" and anchors:
        relation = choice(rng, tuple(RELATIONS))
        anchor = anchor_phrase(speaker, choice(rng, anchors))
        return Clue(speaker.phrase(f"relation.{relation}", t=f"the {plain['h']}", x=anchor), ())
    if kind == "all":
        return Clue(speaker.phrase("all", **plain), (), plural=True)
    table = kind if kind in ("position", "place", "size") else "place"
    slots = colored if speaker.often(0.3) else plain
    return Clue(speaker.phrase(f"{table}.{choice(rng, keys(table))}", **slots), ())


def outside_slots(word: str, color: str | None = None) -> dict[str, str]:
    """The slots of a word without a category."""
    many = plural(word)
    slots = {"n": word, "ns": many, "h": head(word, color), "hs": head(many, color)}
    return slots | ({"c": color} if color else {})


def _outside(speaker: Speaker) -> Clue:
    """'the zebra', 'the florp': a noun of no category, or no word at all."""
    return described(speaker, outside_noun(speaker.rng, speaker.heldout))


def _color(speaker: Speaker) -> Clue | None:
    """'the blue cup' where all cups are clearly of other colors."""
    groups = [group for group in wide_groups(speaker.scene) if group.color is None]
    for group in shuffled(speaker.rng, groups):
        colors = by_color(group.items)
        taken = {other for color in colors for other in (color, *SIMILAR[color])}
        # A color that is present on another category is the harder one.
        there = {item.color for item in speaker.scene.items if item.color}
        free = [color for color in COLORS if color not in taken]
        free = [color for color in free if color in there] or free
        if colors and free:
            color = choice(speaker.rng, free)
            slots = speaker.nouns(group.category, color)
            if len(group.items) > 1 and speaker.often(0.2):
                return Clue(speaker.phrase("all", **slots), (), plural=True)
            return Clue(speaker.phrase("color", **slots), ())
    return None


def _ordinal(speaker: Speaker) -> Clue | None:
    """'the third cup from the left' of two."""
    groups = [one for one in wide_groups(speaker.scene) if len(one.items) < len(ORDINALS)]
    if not groups:
        return None
    group = choice(speaker.rng, groups)
    side = choice(speaker.rng, SIDES)
    return Clue(ordinal_phrase(speaker, group, len(group.items), side), ())


def _relation(speaker: Speaker) -> Clue | None:
    """'the cup on the table' where the relation clearly fails for every cup."""
    groups = shuffled(speaker.rng, wide_groups(speaker.scene))
    anchors = [group for group in groups if len(group.items) == 1]
    side = longest_side(speaker.scene)
    for group in groups:
        for anchor in shuffled(speaker.rng, anchors):
            one = anchor.items[0]
            if one in group.items:
                continue
            failing = [
                relation
                for relation, holds in RELATIONS.items()
                if all(holds(item, one, side) is Holds.NO for item in group.items)
            ]
            if failing:
                target = f"the {speaker.nouns(group.category, group.color)['h']}"
                table = f"relation.{choice(speaker.rng, failing)}"
                return Clue(speaker.phrase(table, t=target, x=anchor_phrase(speaker, anchor)), ())
    return None


def _place(speaker: Speaker) -> Clue | None:
    """'the cup in the left half' of an only cup that is entirely in the right one."""
    for group in shuffled(speaker.rng, wide_groups(speaker.scene)):
        places = [key for key in keys("place") if at_place(group.items[0], key, speaker.scene)]
        if len(group.items) == 1 and places:
            wrong = _OPPOSITE[choice(speaker.rng, places)]
            slots = speaker.nouns(group.category, group.color)
            return Clue(speaker.phrase(f"place.{wrong}", **slots), ())
    return None


_CLUES: dict[str, ClueMaker] = {
    "category": _category,
    "color": _color,
    "ordinal": _ordinal,
    "relation": _relation,
    "place": _place,
    "outside": _outside,
}
_WEIGHTS = {"category": 1.0, "color": 1.0, "ordinal": 0.4, "relation": 0.6, "place": 0.4} | {
    "outside": 0.8
}
_STEADY = ("category", "color", "ordinal", "outside")
