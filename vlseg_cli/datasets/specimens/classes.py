"""Drawn things as members of a published vocabulary, so that its sets can be drawn, too."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.class_names import ClassTable
from vlseg_cli.worlds.categories import BY_NAME, NAMES
from vlseg_cli.worlds.scene import Scene


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A thing, or all of a stuff class: position in the vocabulary, mask (H, W)."""

    place: int
    mask: NDArray[np.bool_]


def members(scene: Scene, table: ClassTable) -> list[Member]:
    """The items of a scene, stuff of one class together."""
    found: list[Member] = []
    stuff: dict[int, NDArray[np.bool_]] = {}
    for item in scene.items:
        place = place_of(item.category, table)
        if table.things[place]:
            found.append(Member(place, scene.mask(item.id)))
        else:
            stuff[place] = stuff.get(place, False) | scene.mask(item.id)
    return found + [Member(place, mask) for place, mask in stuff.items()]


def class_map(scene: Scene, table: ClassTable, void: int) -> NDArray[np.int64]:
    """Positions in the vocabulary (H, W), ``void`` where nothing is."""
    places = np.full(scene.ids.shape, void, np.int64)
    for member in members(scene, table):
        places[member.mask] = member.place
    return places


def place_of(category: str, table: ClassTable) -> int:
    """The class that has one of the category's names, else any class, always the same."""
    words = {category, *BY_NAME[category].words}
    for place, synonyms in enumerate(table.synonyms):
        if words & {word.strip() for word in synonyms.split(",")}:
            return place
    return NAMES.index(category) % len(table.names)
