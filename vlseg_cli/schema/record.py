"""What is kept of an answer: everything a person or a program asks for later, in plain values.

The record store of a job holds these, and every output format is made from them alone (and the
pixels of the source, where it shows them).
"""

from dataclasses import dataclass

from vlseg_cli.schema.prediction import Segment
from vlseg_cli.schema.task import Task


@dataclass(frozen=True, slots=True)
class Record:
    """One prompt about one frame.

    input: the source as the user wrote it. name: the item's safe file name. is_video: whether
    ``frame`` counts frames of a video (in the source's own numbering, also with a stride).
    time: seconds since the video's first frame, None for an image. prompt: the sentence, the
    names, or the kinds of the regions. stuff: for names, which of them (by index) are uncountable.
    text: the model's words. segments: on the frame's own grid.
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
