"""Samples of data sets: an image or a clip, and queries with their ground truth.

Every reader in ``datasets/`` and the generator in ``synthetic/`` yield these types, so training and
evaluation do not depend on the data set.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema.inputs import Frame
from vlseg_cli.schema.prompt import Prompt, Task


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One prompt with its ground truth.

    masks: (N, H, W) bool at the frame's size, one per true segment (N may be 0: no target).
    labels: (N,) int64: index into ``Categories.names``, index of the region, or 0 for sentences.
    For sentences N is 0 or 1: the union of the referents.
    ignore: (H, W) bool, pixels that are not scored, or None.
    kind: for reports and sampling weights: 'color', 'ordinal', 'heldout', 'scribble', ….
    answers: reference texts of a task with text output, one per annotator; () otherwise.
    choices: of a multiple-choice question, in the order of their letters; () otherwise.
    key: the query's id in the data set, for submission files.
    crowd: (N,) bool, masks of groups that need not be found, or None for none of them.
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
    """A frame and its queries, which share the encoded image."""

    frame: Frame
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ClipQuery:
    """One prompt for a clip, with its ground truth.

    first: index of the frame in which the prompt is given; regions are drawn in it.
    objects: (M,) identities of the true objects throughout the clip. labels: (M,) int64, index into
    ``Categories.names``, index of the region, or 0 for sentences.
    masks: index of a frame -> (M, H, W) bool, empty masks for invisible objects, or None for a
    frame without annotation.
    ignore: index of a frame -> (H, W) bool, pixels that are not scored, or None.
    key: the query's id in the data set, for submission files. kind: as in ``Query``.
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
    """A video of a data set: frames 0 … length - 1, read one at a time, and its queries.

    names: of the frames in the data set ('00000'), for submission files.
    """

    source: str
    names: tuple[str, ...]
    read: Callable[[int], Frame]
    queries: tuple[ClipQuery, ...]

    @property
    def length(self) -> int:
        """T, the number of frames."""
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class ClipFrames:
    """A few frames of one clip for training. samples: one per frame, in order; the region queries
    of every frame but the first are drawn in the one before. things: per frame, the identity of
    each mask of its category query, -1 for stuff."""

    samples: tuple[Sample, ...]
    things: tuple[NDArray[np.int64], ...]


@dataclass(frozen=True, slots=True)
class TextSample:
    """A sentence without an image, and its meaning, for training a language model alone.

    categories: of the referents, several for some questions, none for what no category is. color:
    of the referents. position: the position, count, size or relation in the sentence. anchor:
    category of the other object of a relation. None where the sentence has none.
    """

    text: str
    categories: frozenset[str]
    color: str | None = None
    position: str | None = None
    anchor: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FactSample:
    """What is where in an image, without the image, and sentences about it, to train the choice
    among objects alone.

    names, colors: of M objects. boxes (M, 4): cx, cy, w, h, areas (M,): visible, both as fractions
    of the model's square input. sentences: texts, each with the objects that it means, (M,) bool.
    """

    names: tuple[str, ...]
    colors: tuple[str | None, ...]
    boxes: NDArray[np.float64]
    areas: NDArray[np.float64]
    sentences: tuple[tuple[str, NDArray[np.bool_]], ...]


@dataclass(frozen=True, slots=True)
class TrainingVocabulary:
    """The vocabulary of a model with random weights.

    words: of its tokenizer. names, stuff: its categories, and which of them are uncountable.
    colors, positions: values of ``TextSample``. unknown: words that it meets but does not know; if
    there are any, its tokenizer splits all but ``words`` into pieces.
    """

    words: tuple[str, ...]
    names: tuple[str, ...]
    stuff: tuple[bool, ...]
    colors: tuple[str, ...]
    positions: tuple[str, ...]
    unknown: tuple[str, ...] = ()
