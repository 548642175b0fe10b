"""What a system offers for video: prompts are given once, frames pass one by one.

What is remembered between frames is bounded by a constant, so a video may last for days; it is
plain arrays, so a run that was killed goes on from the last state that was kept.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.schema import Ask, Frame, Prediction, UsageError

State = Mapping[str, NDArray[Any]]


class Session(Protocol):
    """One video being watched. Segments carry ``track_id``: the same thing, the same number.

    Sentences and single regions have the numbers 1, 2, … in the order they are asked.
    """

    def step(self, frame: Frame) -> list[Prediction]:
        """Look at the next frame: one prediction per prompt, in the order they were given.

        Raises NotFiniteError as ``Segmenter.answer`` does; the session can go on after it.
        """
        ...

    def state(self) -> State:
        """Everything that the next step depends on; constant in the number of frames seen."""
        ...


@runtime_checkable
class VideoSegmenter(Segmenter, Protocol):
    """A model that can follow things through time."""

    def session(self, asks: Sequence[Ask], state: State | None = None) -> Session:
        """Begin to watch a video, or go on from a ``state`` of a session with the same prompts.

        asks: ``Ask.frame`` is the number of the frame (Frame.index) in which a region prompt is
        drawn; sentences and names hold for the whole video whatever it says.
        """
        ...


def require_video(model: Segmenter) -> VideoSegmenter:
    """The model, if it can follow things through time. Raises UsageError if it cannot."""
    if isinstance(model, VideoSegmenter):
        return model
    raise UsageError(f"The model {model.name} answers pictures only: --model takes another.")
