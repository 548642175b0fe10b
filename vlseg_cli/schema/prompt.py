"""What a user asks of a picture: names, an expression, a question, or places in the picture."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

RegionKind = Literal["point", "box", "scribble", "mask"]


@dataclass(frozen=True, slots=True)
class Categories:
    """Candidate category names. ``stuff[i]`` says that name i is uncountable (sky, road)."""

    names: tuple[str, ...]
    stuff: tuple[bool, ...] = ()

    def is_thing(self, index: int) -> bool:
        """True if category ``index`` is countable; names without a flag are things."""
        return not (index < len(self.stuff) and self.stuff[index])


@dataclass(frozen=True, slots=True)
class Expression:
    """A referring expression: 'the small red car left of the tree'."""

    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose answer is something to be seen: 'what keeps food cold?'."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One place in the picture, in pixels of the original grid.

    kind: how the user pointed; ``mask`` is always there, already drawn at (H, W) as bool:
    a disk around a point, a stroke along a scribble, the filled box, or the mask itself.
    """

    kind: RegionKind
    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Several places, asked together; each gets an answer of its own."""

    regions: tuple[Region, ...]


Prompt = Categories | Expression | Question | Regions
