"""Hands: who draws a scene, that is which categories, constructions, styles and layouts it has.

A model that knows one hand alone recognizes its strokes, not its objects. What the held-out hands
draw is never drawn by ``wide``, on which models are trained, so they measure what was understood.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from vlseg_cli.schema.errors import UsageError
from vlseg_cli.synthetic.categories import BY_NAME, FIRST_NAMES
from vlseg_cli.synthetic.scene import Language

Constructions = Literal["first", "trained", "held out"]


@dataclass(frozen=True, slots=True)
class Hand:
    """How scenes are drawn.

    categories: names of all things and stuff that may occur. constructions: which drawings of a
    category are used: the first of each, all trained ones, or those held out. styles: keys of
    ``drawing.styles.STYLES``. layouts: 'scene' for scene types, 'free' also for objects on plain
    ground. language: of the sentences about its scenes.
    """

    name: str
    categories: tuple[str, ...]
    constructions: Constructions
    styles: tuple[str, ...]
    layouts: tuple[str, ...]
    language: Language = "wide"

    @property
    def stuff(self) -> tuple[bool, ...]:
        """Whether each category is stuff."""
        return tuple(not BY_NAME[name].is_thing for name in self.categories)


_TRAINED = (
    *("shaded", "flat", "outlined", "hatched", "textured", "pixelated", "painted", "gray"),
    *("tinted", "jpeg", "soft", "paper"),
)
_HELD_OUT = ("low-poly", "inverted", "halftone", "watercolor", "sketch")
_ALL, _BOTH = tuple(BY_NAME), ("scene", "free")
_HANDS = (
    Hand("first", FIRST_NAMES, "first", ("shaded",), ("scene",), "first"),
    Hand("wide", _ALL, "trained", _TRAINED, _BOTH),
    Hand("new-shapes", _ALL, "held out", _TRAINED, _BOTH),
    Hand("new-styles", _ALL, "trained", _HELD_OUT, _BOTH),
    Hand("new", _ALL, "held out", _HELD_OUT, _BOTH),
)

HANDS: Mapping[str, Hand] = MappingProxyType({hand.name: hand for hand in _HANDS})
DEFAULT_HAND = "first"
# What scenes of the default hand show: names, and whether each is stuff.
NAMES, STUFF = HANDS[DEFAULT_HAND].categories, HANDS[DEFAULT_HAND].stuff


def hand_named(name: str) -> Hand:
    """The hand of that name. Raises UsageError if there is none."""
    if name not in HANDS:
        raise UsageError(f"there is no hand {name!r}: choose one of {', '.join(HANDS)}")
    return HANDS[name]
