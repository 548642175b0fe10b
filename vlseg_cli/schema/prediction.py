"""A model's output for one frame: segments at the frame's size, text, a panoptic map."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema.inputs import Frame
from vlseg_cli.schema.prompt import Prompt, PromptRequest, Task
from vlseg_cli.schema.rle import RLE, encode_rle


@dataclass(frozen=True, slots=True)
class Segment:
    """One predicted segment.

    rle: mask at the frame's original size. bbox: x, y, w, h in px, of the mask (0, 0, 0, 0 if
    empty), or the model's predicted box for detection. area: px of the mask. score: in [0, 1].
    label: text for display. category_id: index into the prompt's names, None for sentences and
    regions. track_id: identity over a video, None in an image.
    """

    rle: RLE
    bbox: tuple[float, float, float, float]
    area: int
    score: float
    label: str
    category_id: int | None = None
    track_id: int | None = None


def segment_from_mask(
    mask: NDArray[np.bool_],
    score: float,
    label: str,
    category_id: int | None = None,
    track_id: int | None = None,
) -> Segment:
    """The Segment of a (H, W) bool mask, with the mask's box and area."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows):
        x, y = float(columns[0]), float(rows[0])
        bbox = (x, y, float(columns[-1]) - x + 1, float(rows[-1]) - y + 1)
    else:
        bbox = (0.0, 0.0, 0.0, 0.0)
    return Segment(
        encode_rle(mask), bbox, int(mask.sum()), float(score), label, category_id, track_id
    )


@dataclass(frozen=True, slots=True, eq=False)
class PanopticMap:
    """The segment of each pixel: ids (H, W) int32, 0 for none, i for ``segments[i - 1]``."""

    ids: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """A model's output for one frame and one prompt.

    segments: best first for sentences, in map order for panoptic. text: generated, "" if there is
    none. panoptic: only for Task.PANOPTIC and SEMANTIC. seconds: wall time by stage.
    """

    source: str
    frame: int
    height: int
    width: int
    task: Task
    prompt: Prompt
    segments: tuple[Segment, ...]
    text: str = ""
    panoptic: PanopticMap | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, frame: Frame, request: PromptRequest, segments: Iterable[Segment] = (), **rest: Any
    ) -> Self:
        """The output for a request about a frame; rest: text, panoptic, seconds."""
        size = frame.height, frame.width
        whole = tuple(segments)
        return cls(frame.source, frame.index, *size, request.task, request.prompt, whole, **rest)


@dataclass(frozen=True, slots=True)
class Record:
    """The prediction for one prompt in one frame, as it is stored and printed by ``--json``.

    input: the source as the user wrote it. name: the item's safe file name. is_video: whether
    ``frame`` is the index in a video (of the source, whatever the stride).
    time: seconds since the video's first frame, None for an image. prompt: the sentence, the
    names, or the kinds of the regions. stuff: indices of the names that are uncountable. text:
    generated. segments: at the frame's size.
    """

    input: str
    name: str
    is_video: bool
    frame: int
    time: float | None
    width: int
    height: int
    task: Task
    prompt: str | tuple[str, ...]
    stuff: tuple[int, ...]
    text: str
    segments: tuple[Segment, ...]
