"""Clues of the wide language: noun phrases and the items that they identify, one maker per kind.

The facts and margins are those of ``language.clues``; the wording, groups such as 'animal' and the
kinds 'negation' and 'between' are added. A clue has one reading by the scene's facts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

from numpy.random import Generator

from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.language.clues import (
    SIZE_RATIO,
    Clue,
    longest_side,
    ordinals,
    positions,
    related,
    sizes,
)
from vlseg_cli.synthetic.language.noun_phrases import head
from vlseg_cli.synthetic.language.relations import MARGIN, Holds, between, distance
from vlseg_cli.synthetic.language.templates import NUMBERS, ORDINALS, SIZE_WORDS
from vlseg_cli.synthetic.language.wide.frames import keys, noun_phrase
from vlseg_cli.synthetic.language.wide.nouns import nameable, noun, wide_groups
from vlseg_cli.synthetic.rng import choice, shuffled
from vlseg_cli.synthetic.scene import Group, Scene, SceneItem, by_category, by_color

_SINGLE = 0.25  # share of scenes in which a clue may identify an only candidate
_EXTRA_WORD = 0.25  # share of relations with a redundant adjective
_PLACE = 0.2  # share of positions that are a part of the picture
_BETWEEN = 0.25  # share of relations to two things
_PAIRS = 40  # of anchors that are tried
_HALF, _CLEARLY = 0.5, 0.1  # of the picture; how far outside its other half
ONE_WORDS = {"left": "leftmost", "right": "rightmost", "top": "topmost", "bottom": "lowest"} | {
    "big": "biggest",
    "small": "smallest",
}
# Colors that a person may confuse prove neither that one is there nor that it is not.
SIMILAR: dict[str, tuple[str, ...]] = {
    "red": ("orange", "pink", "brown"),
    "orange": ("red", "yellow", "brown"),
    "yellow": ("orange",),
    "green": (),
    "blue": ("purple",),
    "purple": ("pink", "blue"),
    "pink": ("red", "purple"),
    "brown": ("red", "orange"),
    "white": ("grey",),
    "grey": ("white", "black"),
    "black": ("grey",),
}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who words a clue about a scene: random numbers, and whether held-out frames are used."""

    scene: Scene
    rng: Generator
    heldout: bool = False

    def nouns(self, category: str, color: str | None = None) -> dict[str, str]:
        """The slots n, ns, h and hs of a category or hypernym, and c if there is a color."""
        word, many = noun(self.rng, category, by_category(self.scene))
        slots = {"n": word, "ns": many, "h": head(word, color), "hs": head(many, color)}
        return slots | ({"c": color} if color else {})

    def phrase(self, table: str, **slots: str) -> str:
        """A noun phrase by a frame of the table."""
        return noun_phrase(self.rng, table, self.heldout, **slots)

    def often(self, share: float) -> bool:
        """True with this probability."""
        return self.rng.random() < share


ClueMaker = Callable[[Speaker], Clue | None]


def category_clue(speaker: Speaker) -> Clue | None:
    """'the fridge', 'the only animal': the only item of its category or group."""
    single = [items[0] for items in nameable(speaker.scene).values() if len(items) == 1]
    if not single:
        return None
    item = choice(speaker.rng, single)
    table = "category" if item.is_thing else "stuff"
    return Clue(speaker.phrase(table, **speaker.nouns(item.category)), (item.id,))


def color_clue(speaker: Speaker) -> Clue | None:
    """'the red cup', among cups of other colors 'the red cup, not the blue one'."""
    rng = speaker.rng
    found: dict[bool, list[tuple[Group, SceneItem, str]]] = {True: [], False: []}
    for group in wide_groups(speaker.scene):
        if group.color is None:
            for color, same in by_color(group.items).items():
                if len(same) == 1:
                    found[len(group.items) == 1].append((group, same[0], color))
    single = bool(found[True]) and (not found[False] or speaker.often(_SINGLE))
    if not found[single]:
        return None
    group, item, color = choice(rng, found[single])
    slots = speaker.nouns(group.category, color)
    others = [one.color for one in group.items if one.color not in (None, color)]
    if others and speaker.often(0.2):
        return Clue(
            speaker.phrase("color_contrast", **slots, d=str(choice(rng, others))), (item.id,)
        )
    return Clue(speaker.phrase("color", **slots), (item.id,))


def position_clue(speaker: Speaker) -> Clue | None:
    """'the leftmost cup', 'the cup in the upper left corner', 'the cup on the left'."""
    if speaker.often(_PLACE) and (clue := _place_clue(speaker)):
        return clue
    for group in shuffled(speaker.rng, wide_groups(speaker.scene, least=2)):
        found = positions(group, longest_side(speaker.scene)) | corners(group, speaker.scene)
        if found:
            key = choice(speaker.rng, tuple(found))
            slots = speaker.nouns(group.category, group.color)
            return Clue(speaker.phrase(f"position.{key}", **slots), (found[key].id,))
    return None


def _place_clue(speaker: Speaker) -> Clue | None:
    """'the cup on the left': an only cup that is clearly in that half of the picture."""
    for group in shuffled(speaker.rng, wide_groups(speaker.scene)):
        if len(group.items) == 1:
            places = [key for key in keys("place") if at_place(group.items[0], key, speaker.scene)]
            if places:
                slots = speaker.nouns(group.category, group.color)
                place = choice(speaker.rng, places)
                return Clue(speaker.phrase(f"place.{place}", **slots), (group.items[0].id,))
    return None


def at_place(item: SceneItem, place: str, scene: Scene) -> bool:
    """Whether the whole item is in the 'left', 'right', 'top' or 'bottom' half of the picture."""
    height, width = scene.ids.shape
    x0, y0, x1, y1 = item.box
    limits: dict[str, bool] = {
        "left": x1 <= _HALF * width,
        "right": x0 >= _HALF * width,
        "top": y1 <= _HALF * height,
        "bottom": y0 >= _HALF * height,
    }
    return limits[place]


def corners(group: Group, scene: Scene) -> dict[str, SceneItem]:
    """The only item of a group in a quarter of the picture, by 'top_left' …; others clearly not."""
    height, width = scene.ids.shape
    found = {}
    for key in ("top_left", "top_right", "bottom_left", "bottom_right"):
        down = [_beyond(one.center[1] / height, "bottom" in key) for one in group.items]
        across = [_beyond(one.center[0] / width, "right" in key) for one in group.items]
        depths = [min(pair) for pair in zip(down, across, strict=True)]
        inside = [one for one, depth in zip(group.items, depths, strict=True) if depth >= _CLEARLY]
        if len(inside) == 1 and sum(depth > -_CLEARLY for depth in depths) == 1:
            found[key] = inside[0]
    return found


def _beyond(share: float, far: bool) -> float:
    """How far a coordinate in [0, 1] is inside the far or the near half."""
    return share - _HALF if far else _HALF - share


def ordinal_clue(speaker: Speaker) -> Clue | None:
    """'the second cup from the left': counted where the neighbors are clearly apart."""
    groups = shuffled(speaker.rng, wide_groups(speaker.scene, least=2))
    if not speaker.often(_SINGLE):
        groups.sort(key=lambda group: len(group.items) < 3)
    for group in groups:
        found = ordinals(group, longest_side(speaker.scene))
        if found:
            index, side = choice(speaker.rng, tuple(found))
            return Clue(ordinal_phrase(speaker, group, index, side), (found[index, side].id,))
    return None


def ordinal_phrase(speaker: Speaker, group: Group, index: int, side: str) -> str:
    """'the second cup from the left' for index 1."""
    slots = speaker.nouns(group.category, group.color)
    return speaker.phrase("ordinal", **slots, o=ORDINALS[index], k=NUMBERS[index], side=side)


def size_clue(speaker: Speaker) -> Clue | None:
    """'the smaller of the two cars': its nearest rival clearly differs. Of one category, as the
    largest animal of a picture need not be the largest in life."""
    for group in shuffled(speaker.rng, wide_groups(speaker.scene, least=2)):
        found = sizes(group)
        if found and group.category in BY_NAME:
            key = choice(speaker.rng, tuple(found))
            pair = len(group.items) == 2 and speaker.often(0.4)
            slots = speaker.nouns(group.category, group.color)
            table = f"size_two.{key}" if pair else f"size.{key}"
            return Clue(speaker.phrase(table, **slots), (found[key].id,))
    return None


def all_clue(speaker: Speaker) -> Clue | None:
    """'all the cups', 'both red lamps', 'the three animals', seldom 'every cup' for one."""
    groups = wide_groups(speaker.scene, least=1 if speaker.often(0.1) else 2)
    colored = [group for group in groups if group.color]
    if colored and speaker.often(0.4):
        groups = colored
    if not groups:
        return None
    group = choice(speaker.rng, groups)
    count, slots = len(group.items), speaker.nouns(group.category, group.color)
    targets = tuple(item.id for item in group.items)
    if count == 1 or speaker.often(0.25):
        return Clue(speaker.phrase("every", **slots), targets)
    if count <= len(NUMBERS) and speaker.often(0.4):
        table = "two" if count == 2 else "counted"
        return Clue(speaker.phrase(table, **slots, k=NUMBERS[count - 1]), targets, plural=True)
    return Clue(speaker.phrase("all", **slots), targets, plural=True)


def relation_clue(speaker: Speaker) -> Clue | None:
    """'the small red car left of the tree', 'the cup between the bottle and the lamp'."""
    if speaker.often(_BETWEEN) and (clue := _between_clue(speaker)):
        return clue
    groups = shuffled(speaker.rng, wide_groups(speaker.scene))
    if speaker.often(0.8):
        groups.sort(key=lambda group: len(group.items) == 1)
    anchors = [group for group in groups if len(group.items) == 1]
    side = longest_side(speaker.scene)
    for group in groups:
        for anchor in shuffled(speaker.rng, anchors):
            if anchor.items[0] not in group.items:
                found = [*related(group, anchor.items[0], side), *_farthest(group, anchor, side)]
                if group.category not in BY_NAME:  # see ``size_clue``
                    found = [one for one in found if one[2] is None]
                if found:
                    relation, item, size = choice(speaker.rng, found)
                    target = _target_phrase(speaker, group, item, size)
                    other = anchor_phrase(speaker, anchor)
                    phrase = speaker.phrase(f"relation.{relation}", t=target, x=other)
                    return Clue(phrase, (item.id,))
    return None


def _farthest(
    group: Group, anchor: Group, side: int
) -> Iterator[tuple[str, SceneItem, str | None]]:
    line = sorted(group.items, key=lambda item: distance(item, anchor.items[0]))
    if len(line) > 1:
        near, far = (distance(item, anchor.items[0]) for item in line[-2:])
        if far >= SIZE_RATIO * near and far - near >= MARGIN * side:
            yield "farthest from", line[-1], None


def _between_clue(speaker: Speaker) -> Clue | None:
    """'the cup between the bottle and the lamp': side by side, all other cups clearly outside."""
    groups = shuffled(speaker.rng, wide_groups(speaker.scene))
    anchors = [group for group in groups if len(group.items) == 1]
    side = longest_side(speaker.scene)
    pairs = shuffled(speaker.rng, combinations(anchors, 2))[:_PAIRS]
    for one, other in pairs:
        x, y = one.items[0], other.items[0]
        if x is y:
            continue
        for group in groups:
            if x in group.items or y in group.items:
                continue
            results = {item.id: between(item, x, y, side) for item in group.items}
            held = [number for number, result in results.items() if result is Holds.YES]
            if len(held) == 1 and Holds.UNCLEAR not in results.values():
                target = f"the {speaker.nouns(group.category, group.color)['h']}"
                first, second = anchor_phrase(speaker, one), anchor_phrase(speaker, other)
                return Clue(speaker.phrase("between", t=target, x=first, y=second), (held[0],))
    return None


def _target_phrase(speaker: Speaker, group: Group, item: SceneItem, size: str | None) -> str:
    """'the small red car': the color that the group needs, or now and then a true extra word."""
    color = group.color
    if color is None and speaker.often(_EXTRA_WORD):
        color = item.color
    word = speaker.nouns(group.category, color)["h"]
    return f"the {choice(speaker.rng, SIZE_WORDS[size])} {word}" if size else f"the {word}"


def anchor_phrase(speaker: Speaker, anchor: Group) -> str:
    """'the green tree' for an only tree; 'the side of the picture' is never that of a painting."""
    color = anchor.color
    if color is None and speaker.often(_EXTRA_WORD):
        color = anchor.items[0].color
    if anchor.category == "picture":
        return f"the {head('painting', color)}"
    return f"the {speaker.nouns(anchor.category, color)['h']}"


def negation_clue(speaker: Speaker) -> Clue | None:
    """'the chair that is not red', 'all cups except the leftmost one'."""
    groups = [group for group in wide_groups(speaker.scene, least=2) if group.color is None]
    for group in shuffled(speaker.rng, groups):
        found = [*_other_colors(group), *_all_but_one(group, longest_side(speaker.scene))]
        if found:
            table, word, targets = choice(speaker.rng, found)
            slots = speaker.nouns(group.category) | {"c": word, "t": word}
            many = table != "not_color_one"
            phrase = speaker.phrase(table, **slots)
            singular = phrase.startswith(("every ", "each "))
            ids = tuple(item.id for item in targets)
            return Clue(phrase, ids, plural=many and not singular)
    return None


def _other_colors(group: Group) -> Iterator[tuple[str, str, list[SceneItem]]]:
    """Table, color and the items without it; none of these has a similar color."""
    for color in by_color(group.items):
        others = [item for item in group.items if item.color != color]
        if others and not any(item.color in SIMILAR[color] for item in others):
            yield "not_color_one" if len(others) == 1 else "not_color_many", color, others


def _all_but_one(group: Group, side: int) -> Iterator[tuple[str, str, list[SceneItem]]]:
    """Table, the word for the one, and the others, at least two."""
    if len(group.items) < 3:
        return
    singles = {c: items[0] for c, items in by_color(group.items).items() if len(items) == 1}
    extremes = positions(group, side) | (sizes(group) if group.category in BY_NAME else {})
    singles |= {ONE_WORDS[key]: item for key, item in extremes.items() if key in ONE_WORDS}
    for word, one in singles.items():
        yield "not_one", word, [item for item in group.items if item is not one]
