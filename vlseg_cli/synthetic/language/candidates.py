"""The candidates a clue chooses among: items of one category, or of one category and color."""

from collections.abc import Iterable
from dataclasses import dataclass

from vlseg_cli.synthetic.scene import Scene, SceneItem


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
