"""What a video data set yields: a clip, and what is asked of it with the truth frame by frame.

Nothing is read before it is asked for: a clip may be longer than memory, and most frames of most
sets have no truth at all.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema.frame import Frame
from vlseg_cli.schema.prompt import Prompt
from vlseg_cli.schema.task import Task


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
