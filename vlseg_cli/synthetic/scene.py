"""What a drawn scene is: pixels, the exact owner of every pixel, and what each item truly is.

Sentences, questions and benchmarks are written from these facts alone, never from the pixels, so
the truth of every mask and every word is known by construction.
"""

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
    place: str
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
