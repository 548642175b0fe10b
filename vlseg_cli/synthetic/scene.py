"""What a synthetic scene is: pixels, the item id of every pixel, and the facts about each item.

Sentences, questions and benchmarks are derived from these facts, never from the pixels, so every
mask and every sentence is correct by construction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.synthetic.categories import FIRST_NAMES

# The words of a scene: those of the first hand, or those of all the others.
Language = Literal["first", "wide"]
# Questions in trained words; in a frame, a wording, or about a fact that training does not use.
QuestionKind = Literal["seen", "heldout_frame", "heldout", "heldout_function"]
QUESTION_KINDS: tuple[QuestionKind, ...] = get_args(QuestionKind)
_FIRST_QUESTION_KINDS: tuple[QuestionKind, ...] = ("seen", "heldout")

# The kinds of referring expressions, easiest first.
KINDS: tuple[str, ...] = ("category", "color", "position", "ordinal", "size", "relation", "all")
WIDE_KINDS: tuple[str, ...] = (*KINDS, "negation")  # of the wide language
# Exports and reports keep the spelling of the first release.
EXPORTED_KINDS = {"color": "colour"}
GROUND = 255  # id of plain ground, which has no category


@dataclass(frozen=True, slots=True)
class SceneItem:
    """The visible part of one thing or stuff region.

    id: its value in ``Scene.ids`` (from 1), the same in every frame of a clip. category: a name of
    ``synthetic.categories``. color: a color word, None for stuff and in
    styles that do not show colors. box: x0, y0, x1, y1 of the
    visible pixels (x1, y1 exclusive). center: x, y of their mean. area: visible px. size: square
    root of the full box's area before occlusion, px. on: id of its support, None for ground or
    wall.
    """

    id: int
    category: str
    is_thing: bool
    color: str | None
    box: tuple[int, int, int, int]
    center: tuple[float, float]
    area: int
    size: float
    on: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """An image (H, W, 3) with its ground truth.

    ids: (H, W) uint8: 0 is void, which no metric counts, ``GROUND`` what is no item, else item ids.
    categories: names of all that the scene's hand draws, in the order of the table. language: of
    the sentences about it.
    """

    seed: int
    scene_type: str
    pixels: NDArray[np.uint8]
    ids: NDArray[np.uint8]
    items: tuple[SceneItem, ...]
    categories: tuple[str, ...] = FIRST_NAMES
    language: Language = "first"

    def mask(self, *ids: int) -> NDArray[np.bool_]:
        """Union (H, W) of the visible pixels of the items with these ids."""
        return np.isin(self.ids, np.asarray(ids, np.uint8))

    def masks(self, groups: Iterable[Iterable[int]]) -> NDArray[np.bool_]:
        """(N, H, W): the union of each group of item ids."""
        groups = list(groups)
        stacked = np.zeros((len(groups), *self.ids.shape), bool)
        for mask, ids in zip(stacked, groups, strict=True):
            for one in ids:
                mask |= self.ids == one
        return stacked

    def of(self, category: str) -> tuple[SceneItem, ...]:
        """The visible items of one category, in id order."""
        return tuple(item for item in self.items if item.category == category)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text and the ids of all items that it refers to; none if it has no target.

    kind: one of ``WIDE_KINDS`` for expressions, a ``QuestionKind``, or 'none' without a target.
    """

    text: str
    kind: str
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """All visible items (at least one) that a head noun such as 'cup' or 'red cup' denotes."""

    category: str
    color: str | None
    items: tuple[SceneItem, ...]


def expression_kinds(language: Language) -> tuple[str, ...]:
    """The kinds of expressions of a language."""
    return WIDE_KINDS if language == "wide" else KINDS


def question_kinds(language: Language) -> tuple[QuestionKind, ...]:
    """The kinds of questions of a language."""
    return QUESTION_KINDS if language == "wide" else _FIRST_QUESTION_KINDS


def by_category(scene: Scene) -> dict[str, tuple[SceneItem, ...]]:
    """Items of each visible category, in id order."""
    found: dict[str, list[SceneItem]] = {}
    for item in scene.items:
        found.setdefault(item.category, []).append(item)
    return {category: tuple(items) for category, items in found.items()}


def by_color(items: Iterable[SceneItem]) -> dict[str, tuple[SceneItem, ...]]:
    """Items of each color; empty if any item lacks a color word, as it could match any."""
    found: dict[str, list[SceneItem]] = {}
    for item in items:
        if item.color is None:
            return {}
        found.setdefault(item.color, []).append(item)
    return {color: tuple(same) for color, same in found.items()}


def thing_groups(scene: Scene, least: int = 1) -> list[Group]:
    """Groups of at least ``least`` things: whole categories, and colors within mixed ones."""
    groups = []
    for category, items in by_category(scene).items():
        if len(items) < least or not items[0].is_thing:
            continue
        groups.append(Group(category, None, items))
        colors = by_color(items)
        if len(colors) > 1:
            groups += [Group(category, c, i) for c, i in colors.items() if len(i) >= least]
    return groups
