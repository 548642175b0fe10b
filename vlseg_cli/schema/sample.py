"""What a data set yields: a picture, and questions about it with their true masks.

Every reader in ``datasets/`` and the generator in ``worlds/`` yield this and nothing else, so the
training loop and the evaluation never know where a picture came from.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema.frame import Frame
from vlseg_cli.schema.prompt import Prompt
from vlseg_cli.schema.task import Task


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One prompt with its truth.

    masks: (N, H, W) bool at the frame's size, one per true segment (N may be 0: no target).
    labels: (N,) int64: index into ``Categories.names``, index of the region, or 0 for sentences.
    For sentences N is 0 or 1: the union of what is meant.
    ignore: (H, W) bool, pixels that count neither way, or None.
    kind: a word for reports and curricula: 'colour', 'ordinal', 'heldout', 'scribble', ….
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
