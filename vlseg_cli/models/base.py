"""What every system offers to the rest of vlseg: look once, answer many prompts."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from numpy.typing import NDArray

from vlseg_cli.schema import (
    Frame,
    Prediction,
    PromptRequest,
    TableError,
    Task,
    UsageError,
    WeightsError,
)
from vlseg_cli.schema.tables import read_table


class Segmenter(Protocol):
    """A loaded model. ``tasks`` is what it can be asked; benchmarks ask it nothing else.
    ``categories`` and ``stuff`` (a flag each) are what it was trained with and what is asked when a
    user names nothing."""

    name: str
    tasks: frozenset[Task]
    categories: tuple[str, ...]
    stuff: tuple[bool, ...]

    def unknown_words(self, text: str) -> list[str]:
        """Words of a prompt that mean nothing to this model."""
        ...

    def encode(self, frames: Sequence[Frame]) -> Any:
        """Look at pictures: step 1, once for all prompts. What returns is only for ``answer``."""
        ...

    def predict(self, encoded: Any, requests: Sequence[PromptRequest]) -> list[Prediction]:
        """Answer prompts about encoded pictures, in order.

        Raises NotFiniteError where the model's numbers for one of them are NaN or infinite.
        """
        ...


SessionState = Mapping[str, NDArray[Any]]


class VideoSession(Protocol):
    """One video being watched. Segments carry ``track_id``: the same thing, the same number.

    Sentences and single regions have the numbers 1, 2, … in the order they are asked.
    """

    def step(self, frame: Frame) -> list[Prediction]:
        """Look at the next frame: one prediction per prompt, in the order they were given.

        Raises NotFiniteError as ``Segmenter.answer`` does; the session can go on after it.
        """
        ...

    def state(self) -> SessionState:
        """Everything that the next step depends on; constant in the number of frames seen."""
        ...


@runtime_checkable
class VideoSegmenter(Segmenter, Protocol):
    """A model that can follow things through time."""

    def session(
        self, requests: Sequence[PromptRequest], state: SessionState | None = None
    ) -> VideoSession:
        """Begin to watch a video, or go on from a ``state`` of a session with the same prompts.

        requests: ``PromptRequest.frame`` is the number of the frame (Frame.index) in which a
        region prompt is drawn; sentences and names hold for the whole video whatever it says.
        """
        ...


def require_video(model: Segmenter) -> VideoSegmenter:
    """The model, if it can follow things through time. Raises UsageError if it cannot."""
    if isinstance(model, VideoSegmenter):
        return model
    raise UsageError(f"The model {model.name} answers pictures only: --model takes another.")


C = TypeVar("C")


def read_sizes(kind: type[C], values: Mapping[str, Any], system: str) -> C:
    """Make the dataclass ``kind``; lists become tuples.

    Raises WeightsError for unknown keys, wrong types and words that are none of a key's choices.
    """
    try:
        return read_table(kind, values, f"the {system} configuration")
    except TableError as error:
        raise WeightsError(str(error)) from error
