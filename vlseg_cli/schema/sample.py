"""What a data set yields: an image or a clip, and queries about it with their true masks.

Every reader in ``datasets/`` and the generator in ``synthetic/`` yield these types alone, so the
training loop and the evaluation never know where an image came from.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema.frame import Frame
from vlseg_cli.schema.prompt import Prompt, Task


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One prompt with its truth.

    masks: (N, H, W) bool at the frame's size, one per true segment (N may be 0: no target).
    labels: (N,) int64: index into ``Categories.names``, index of the region, or 0 for sentences.
    For sentences N is 0 or 1: the union of what is meant.
    ignore: (H, W) bool, pixels that count neither way, or None.
    kind: a word for reports and curricula: 'color', 'ordinal', 'heldout', 'scribble', ….
    answers: true words where words are asked for, one per annotator; () otherwise.
    choices: of a multiple-choice question, in the order of their letters; () otherwise.
    key: what the data set calls the query (a question's id), for submission files.
    crowd: (N,) bool, which masks are groups that nobody has to find, or None for none of them.
    areas: (N,) float64, px as the annotation states them, or None to count the masks.
    boxes: (N, 4) float64, x, y, w, h in px as the annotation states them, or None.
    """

    task: Task
    prompt: Prompt
    masks: NDArray[np.bool_]
    labels: NDArray[np.int64]
    ignore: NDArray[np.bool_] | None = None
    kind: str = ""
    answers: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    key: str = ""
    crowd: NDArray[np.bool_] | None = None
    areas: NDArray[np.float64] | None = None
    boxes: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A frame and the queries asked about it; several share one look at the picture."""

    frame: Frame
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ClipQuery:
    """One prompt about a clip, with its truth.

    first: number of the frame in which the prompt is given; regions are drawn in it.
    objects: identity of each true thing throughout the clip, (M,) in all; labels: (M,) int64, index
    into ``Categories.names``, index of the region, or 0 for sentences.
    masks: number of a frame -> (M, H, W) bool, empty masks for what cannot be seen in it, or None
    for a frame without truth.
    ignore: number of a frame -> (H, W) bool, pixels that count neither way in it, or None.
    key: what the data set calls the query (an expression's id), for submission files.
    kind: a word for reports, as in ``Query``.
    """

    task: Task
    prompt: Prompt
    objects: tuple[int, ...]
    labels: NDArray[np.int64]
    masks: Callable[[int], NDArray[np.bool_] | None]
    ignore: Callable[[int], NDArray[np.bool_] | None] | None = None
    first: int = 0
    key: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ClipSample:
    """A video of a data set: frames 0 … length - 1, read one at a time, and queries about them.

    names: what the data set calls the frames ('00000'), for submission files; one per frame.
    """

    source: str
    names: tuple[str, ...]
    read: Callable[[int], Frame]
    queries: tuple[ClipQuery, ...]

    @property
    def length(self) -> int:
        """How many frames there are."""
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class ClipFrames:
    """A few frames of one clip for training. samples: one per frame, in order; every frame but the
    first asks for regions of the one before. things: per frame, the identity of each mask of its
    category query, -1 for stuff."""

    samples: tuple[Sample, ...]
    things: tuple[NDArray[np.int64], ...]


@dataclass(frozen=True, slots=True)
class TextSample:
    """A sentence without an image, and its meaning, for training a language model alone.

    categories: what it asks for (several for some questions). color: of what it asks for.
    position: the place, count, size or relation that it names. anchor: category of the other thing
    in a relation. None where the sentence says nothing of the sort.
    """

    text: str
    categories: frozenset[str]
    color: str | None = None
    position: str | None = None
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class TrainingVocabulary:
    """What a model with random weights is built for. words: of its tokenizer; names, stuff: its
    categories, and which of them are uncountable; colors, positions: values of ``TextSample``."""

    words: tuple[str, ...]
    names: tuple[str, ...]
    stuff: tuple[bool, ...]
    colors: tuple[str, ...]
    positions: tuple[str, ...]
