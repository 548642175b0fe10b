"""Tasks and prompts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray


class Task(StrEnum):
    """The tasks of the five systems, by their usual names."""

    PANOPTIC = "panoptic"
    SEMANTIC = "semantic"
    INSTANCE = "instance"
    REFER = "refer"
    REASON = "reason"
    INTERACTIVE = "interactive"
    DETECT = "detect"
    GROUND = "ground"
    VOS = "vos"
    RVOS = "rvos"
    VIS = "vis"
    CHAT = "chat"


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
    """A question whose answer is a segment: 'what keeps food cold?'."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A region of the image as a visual prompt.

    mask: (H, W) bool at the original size: a disk around a point, a stroke along a scribble, the
    filled box, or the mask itself.
    """

    kind: RegionKind
    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Several regions in one prompt; a segment is predicted for each."""

    regions: tuple[Region, ...]


Prompt = Categories | Expression | Question | Regions


@dataclass(frozen=True, slots=True, eq=False)
class PromptRequest:
    """A prompt for frame number ``frame`` of an encoded batch.

    threshold: score in [0, 1] below which a segment is dropped; None is the task's default (for
    sentences: exactly the best segment). many: for sentences, all segments above the
    threshold instead of the best alone (generalized referring).
    """

    frame: int
    task: Task
    prompt: Prompt
    threshold: float | None = None
    many: bool = False
