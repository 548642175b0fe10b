"""Referring expressions of a scene: each has exactly one reading by construction, or no target.

The language is the scene's: that of the first hand, or the wide one of all others.
"""

from collections.abc import Mapping
from types import MappingProxyType

from numpy.random import Generator

from vlseg_cli.synthetic.categories import BY_NAME, COLORS
from vlseg_cli.synthetic.language import noun_phrases as phrases
from vlseg_cli.synthetic.language.clues import (
    ClueMaker,
    all_clue,
    category_clue,
    color_clue,
    ordinal_clue,
    position_clue,
    relation_clue,
    size_clue,
)
from vlseg_cli.synthetic.language.noun_phrases import clashes, noun
from vlseg_cli.synthetic.language.templates import ORDINALS, SIDES
from vlseg_cli.synthetic.language.wide import clues as wide
from vlseg_cli.synthetic.language.wide import frames
from vlseg_cli.synthetic.language.wide.absence import absent_clue
from vlseg_cli.synthetic.language.wide.clues import Speaker
from vlseg_cli.synthetic.rng import choice, weighted_order
from vlseg_cli.synthetic.scene import Scene, Sentence, by_category, by_color, thing_groups

# How often each kind is tried first; kinds that few scenes allow weigh more.
KIND_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "category": 1.0,
        "color": 1.0,
        "position": 1.3,
        "ordinal": 1.35,
        "size": 4.0,
        "relation": 1.0,
        "all": 1.0,
        "negation": 1.0,
    }
)

_CLUES: dict[str, ClueMaker] = {
    "category": category_clue,
    "color": color_clue,
    "position": position_clue,
    "ordinal": ordinal_clue,
    "size": size_clue,
    "relation": relation_clue,
    "all": all_clue,
}

_WIDE_CLUES: dict[str, wide.ClueMaker] = {
    "category": wide.category_clue,
    "color": wide.color_clue,
    "position": wide.position_clue,
    "ordinal": wide.ordinal_clue,
    "size": wide.size_clue,
    "relation": wide.relation_clue,
    "all": wide.all_clue,
    "negation": wide.negation_clue,
}


def referring_expression(
    scene: Scene,
    rng: Generator,
    kind: str | None = None,
    weights: Mapping[str, float] = KIND_WEIGHTS,
    heldout: bool = False,
) -> Sentence | None:
    """An expression that identifies exactly its targets.

    kind: one of ``scene.WIDE_KINDS``, or None for any, drawn by ``weights``. heldout: in frames
    that training does not use; the first language has none. None if the scene allows no expression
    of that kind.

    >>> from numpy.random import default_rng
    >>> from vlseg_cli.synthetic.draw import draw_scene
    >>> referring_expression(draw_scene(42, 96), default_rng(0), "category").text
    'where is the book'
    """
    if scene.language == "wide":
        return _wide_expression(Speaker(scene, rng, heldout), kind, weights)
    weights = {name: weight for name, weight in weights.items() if name in _CLUES}
    for name in [kind] if kind in _CLUES else [] if kind else weighted_order(rng, weights):
        clue = _CLUES[name](scene, rng)
        if clue is not None:
            return Sentence(phrases.request(rng, clue.phrase, clue.plural), name, clue.targets)
    return None


def _wide_expression(
    speaker: Speaker, kind: str | None, weights: Mapping[str, float]
) -> Sentence | None:
    for name in [kind] if kind else weighted_order(speaker.rng, weights):
        clue = _WIDE_CLUES[name](speaker)
        if clue is not None:
            text = frames.request(speaker.rng, clue.phrase, clue.plural, speaker.heldout)
            return Sentence(text, name, clue.targets)
    return None


_BY_COLOR, _BY_ORDINAL = 0.45, 0.6  # cumulative shares; the rest names an absent category

# Colors that a person may confuse do not prove that an object is absent.
_SIMILAR: dict[str, tuple[str, ...]] = {
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


def no_target_expression(
    scene: Scene, rng: Generator, heldout: bool = False, moving: bool = False
) -> Sentence:
    """An expression without a target: absent category or color, or an ordinal beyond the last; in
    the wide language also a relation that does not hold, or a word that no category has.

    heldout: see ``referring_expression``. moving: only what no movement makes true.
    """
    if scene.language == "wide":
        clue = absent_clue(Speaker(scene, rng, heldout), moving)
        return Sentence(frames.request(rng, clue.phrase, clue.plural, heldout), "none", ())
    draw = rng.random()
    phrase = None
    if draw < _BY_COLOR:
        phrase = _absent_color(scene, rng)
    elif draw < _BY_ORDINAL:
        phrase = _ordinal_beyond_last(scene, rng)
    return Sentence(phrases.request(rng, phrase or _absent_category(scene, rng), False), "none", ())


def _absent_category(scene: Scene, rng: Generator) -> str:
    present = by_category(scene)
    absent = [c for c in scene.categories if c not in present and not clashes(c, present)]
    category = BY_NAME[choice(rng, absent)]
    word = noun(rng, category.name, present)
    if category.is_thing and rng.random() < 0.4:
        return phrases.color_phrase(rng, word, choice(rng, tuple(COLORS)))
    return phrases.category_phrase(rng, word, category.is_thing)


def _absent_color(scene: Scene, rng: Generator) -> str | None:
    present = by_category(scene)
    colored = {name: by_color(items) for name, items in present.items() if BY_NAME[name].is_thing}
    colored = {name: colors for name, colors in colored.items() if colors}
    if not colored:
        return None
    name = choice(rng, tuple(colored))
    taken = {other for color in colored[name] for other in (color, *_SIMILAR.get(color, ()))}
    free = [color for color in COLORS if color not in taken]
    return phrases.color_phrase(rng, noun(rng, name, present), choice(rng, free)) if free else None


def _ordinal_beyond_last(scene: Scene, rng: Generator) -> str | None:
    groups = [group for group in thing_groups(scene) if len(group.items) < len(ORDINALS)]
    if not groups:
        return None
    group = choice(rng, groups)
    word = noun(rng, group.category, by_category(scene))
    return phrases.ordinal_phrase(rng, word, group.color, (len(group.items), choice(rng, SIDES)))
