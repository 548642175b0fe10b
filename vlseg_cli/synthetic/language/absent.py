"""Referring expressions that mean nothing in a scene: the right answer is an empty mask."""

from numpy.random import Generator

from vlseg_cli.synthetic.categories import BY_NAME, CATEGORIES, COLORS
from vlseg_cli.synthetic.language import noun_phrases as phrases
from vlseg_cli.synthetic.language.candidates import by_category, by_color, thing_groups
from vlseg_cli.synthetic.language.noun_phrases import clashes, noun
from vlseg_cli.synthetic.language.rng import pick
from vlseg_cli.synthetic.language.templates import ORDINALS, SIDES
from vlseg_cli.synthetic.scene import Scene, Sentence

_BY_COLOR, _BY_COUNT = 0.45, 0.6  # cumulated shares; the rest names an absent category

# Colors a person may mix up are no proof of absence.
_ALIKE: dict[str, tuple[str, ...]] = {
    "red": ("orange", "pink", "brown"),
    "orange": ("red", "yellow", "brown"),
    "yellow": ("orange",),
    "purple": ("pink", "blue"),
    "pink": ("red", "purple"),
    "brown": ("red", "orange"),
    "white": ("grey",),
    "grey": ("white", "black"),
    "black": ("grey",),
}


def no_target(scene: Scene, rng: Generator) -> Sentence:
    """Ask for something that is not there: category, color, or a place beyond the last."""
    draw = rng.random()
    phrase = None
    if draw < _BY_COLOR:
        phrase = _absent_color(scene, rng)
    elif draw < _BY_COUNT:
        phrase = _beyond_the_last(scene, rng)
    return Sentence(phrases.asked(rng, phrase or _absent_category(scene, rng), False), "none", ())


def _absent_category(scene: Scene, rng: Generator) -> str:
    present = by_category(scene)
    absent = [c for c in CATEGORIES if c.name not in present and not clashes(c.name, present)]
    category = pick(rng, absent)
    word = noun(rng, category.name, present)
    if category.is_thing and rng.random() < 0.4:
        return phrases.color_phrase(rng, word, pick(rng, tuple(COLORS)))
    return phrases.category_phrase(rng, word, category.is_thing)


def _absent_color(scene: Scene, rng: Generator) -> str | None:
    present = by_category(scene)
    colored = {name: by_color(items) for name, items in present.items() if BY_NAME[name].is_thing}
    colored = {name: colors for name, colors in colored.items() if colors}
    if not colored:
        return None
    name = pick(rng, tuple(colored))
    taken = {alike for color in colored[name] for alike in (color, *_ALIKE.get(color, ()))}
    free = [color for color in COLORS if color not in taken]
    return phrases.color_phrase(rng, noun(rng, name, present), pick(rng, free)) if free else None


def _beyond_the_last(scene: Scene, rng: Generator) -> str | None:
    groups = [group for group in thing_groups(scene) if len(group.items) < len(ORDINALS)]
    if not groups:
        return None
    group = pick(rng, groups)
    word = noun(rng, group.category, by_category(scene))
    return phrases.ordinal_phrase(rng, word, group.color, len(group.items), pick(rng, SIDES))
