"""What a synthetic scene is: pixels, the item id of every pixel, and the facts about each item.

Sentences, questions and benchmarks are derived from these facts, never from the pixels, so every
mask and every sentence is correct by construction.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SceneItem:
    """One thing or stuff region, as far as it can be seen.

    id: its value in ``Scene.ids`` (from 1), the same in every frame of a clip. category: a name of
    ``worlds.categories``. color: a color word, None where no single word is right.
    box: x0, y0, x1, y1 of the visible pixels (x1, y1 exclusive). center: x, y of their mean.
    area: visible px. size: what a person calls its size, as drawn and before occlusion: square
    root of the full box's area, px. on: id of the item it stands on, None for ground or wall.
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
    """A picture and its whole truth. ``ids`` (H, W) uint8: 0 is void, else an item's id."""

    seed: int
    scene_type: str
    pixels: NDArray[np.uint8]
    ids: NDArray[np.uint8]
    items: tuple[SceneItem, ...]

    def mask(self, *ids: int) -> NDArray[np.bool_]:
        """Union of the visible pixels of the items with these ids: (H, W) bool."""
        return np.isin(self.ids, np.asarray(ids, np.uint8))

    def of(self, category: str) -> tuple[SceneItem, ...]:
        """The visible items of one category, in id order."""
        return tuple(item for item in self.items if item.category == category)


# The kinds of referring expressions, easiest first.
# Others read the key of the first release in what is exported and reported.
EXPORTED_KINDS = {"color": "colour"}
KINDS: tuple[str, ...] = ("category", "color", "position", "ordinal", "size", "relation", "all")


@dataclass(frozen=True, slots=True)
class Sentence:
    """``targets`` are the ids of all items meant; none if the sentence means nothing here.

    kind: one of ``KINDS`` or 'none' for referring expressions, 'seen' or 'heldout' for questions.
    """

    text: str
    kind: str
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """All visible items that a head noun ('cup', 'red cup') can mean; at least one."""

    category: str
    color: str | None
    items: tuple[SceneItem, ...]


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
