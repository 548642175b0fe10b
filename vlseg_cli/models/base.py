"""What every system offers to the rest of vlseg: encode frames once, predict for many prompts."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol, TypeVar, runtime_checkable

from annotated_types import Interval
from numpy.typing import NDArray

from vlseg_cli.nn.array_backend import namespace
from vlseg_cli.schema import (
    Frame,
    NotFiniteError,
    Prediction,
    PromptRequest,
    TableError,
    Task,
    UsageError,
    WeightsError,
)
from vlseg_cli.schema.tables import read_table
from vlseg_cli.text.tokenizer import Tokenizer

Dtype = Literal["float32", "float16", "bfloat16"]  # of the language model
FULL: Dtype = "float32"
_SHOWN = 40  # characters of a text in a message


class Segmenter(Protocol):
    """A loaded model.

    tasks: those it supports; benchmarks use no others. categories, stuff (a flag each): what it was
    trained with, the prompt where a user names no categories. tokenizer: of its prompts; positions:
    at most so many tokens does its language model take.
    """

    name: str
    tasks: frozenset[Task]
    categories: tuple[str, ...]
    stuff: tuple[bool, ...]
    tokenizer: Tokenizer
    positions: int

    def encode(self, frames: Sequence[Frame]) -> Any:
        """Step 1, once for all prompts. The result is only for ``predict``."""
        ...

    def predict(self, encoded: Any, requests: Sequence[PromptRequest]) -> list[Prediction]:
        """Steps 2 to 4: predictions for prompts about encoded frames, in order.

        Raises NotFiniteError where the model's output for one of them is NaN or infinite.
        """
        ...


SessionState = Mapping[str, NDArray[Any]]


class VideoSession(Protocol):
    """One video in progress. Segments carry ``track_id``: one number per object.

    Sentences and single regions have the numbers 1, 2, … in the order of the requests.
    """

    def step(self, frame: Frame) -> list[Prediction]:
        """One prediction per prompt for the next frame, in the order of the requests.

        Raises NotFiniteError as ``Segmenter.predict`` does; the session can continue after it.
        """
        ...

    def state(self) -> SessionState:
        """Everything that the next step depends on; constant in the number of frames."""
        ...


@runtime_checkable
class VideoSegmenter(Segmenter, Protocol):
    """A model that tracks objects through video."""

    def session(
        self, requests: Sequence[PromptRequest], state: SessionState | None = None
    ) -> VideoSession:
        """Start a video, or continue from a ``state`` of a session with the same prompts.

        requests: ``PromptRequest.frame`` is the index (Frame.index) of the frame in which a region
        prompt is drawn; for other prompts it is ignored, they hold for the whole video.
        """
        ...


def require_video(model: Segmenter) -> VideoSegmenter:
    """The model, if it tracks objects through video. Raises UsageError if it does not."""
    if isinstance(model, VideoSegmenter):
        return model
    raise UsageError(f"The model {model.name} takes images only: --model takes another.")


def check_length(model: Segmenter, text: str) -> None:
    """Raise UsageError for a text of more tokens than the model's language model has positions.

    Attention over it would take hours and all memory, for nothing.
    """
    if len(text) > model.positions and (count := len(model.tokenizer.ids(text))) > model.positions:
        raise UsageError(
            f"The prompt '{text[:_SHOWN]} …' has {count:,} tokens, and {model.name} takes at most"
            f" {model.positions:,}: shorten it."
        )


def check_finite(frame: Frame, *outputs: Any) -> None:
    """Raise NotFiniteError unless all tensors or arrays of a model's output are finite.

    NaN would pass for an empty mask; half precision on large inputs produces it.
    """
    if not all(bool(namespace(one).isfinite(one).all()) for one in outputs):
        raise NotFiniteError(
            f"{frame.source}: the model's numbers are not finite, so there is no answer; try"
            " --device cpu, or other weights."
        )


# Ranges of a configuration's sizes. Nothing published comes near their ends, and a module of any of
# them is small while its parameters are empty: a hostile config.json takes no memory.
Layers = Annotated[int, Interval(ge=1, le=256)]
OptionalLayers = Annotated[int, Interval(ge=0, le=256)]
Channels = Annotated[int, Interval(ge=1, le=1 << 17)]
Pixels = Annotated[int, Interval(ge=1, le=1 << 13)]
Tokens = Annotated[int, Interval(ge=1, le=1 << 20)]  # rows of a vocabulary, positions, queries

C = TypeVar("C")


def read_sizes(kind: type[C], values: Mapping[str, Any], system: str) -> C:
    """A model's configuration as the dataclass ``kind``; lists become tuples.

    Raises WeightsError for unknown keys, wrong types and values that are not allowed.
    """
    try:
        return read_table(kind, values, f"the {system} configuration")
    except TableError as error:
        raise WeightsError(str(error)) from error


def check_multiples(config: Any, **parts: str) -> None:
    """Raise ValueError unless each size of ``config``, by its key, is a multiple of another."""
    for size, part in parts.items():
        if (whole := getattr(config, size)) % (unit := getattr(config, part)):
            raise ValueError(f"{size} = {whole} is no multiple of {part} = {unit}")


_WIDEST_GRID = 256


def check_grids(config: Any, **patches: str) -> None:
    """Raise ValueError unless each side in px, by its key, has from 1 to 256 patches."""
    for side, patch in patches.items():
        cells = getattr(config, side) // getattr(config, patch)
        if not 1 <= cells <= _WIDEST_GRID:
            raise ValueError(
                f"{side} = {getattr(config, side)} has {cells} patches a side of {patch} ="
                f" {getattr(config, patch)}, not from 1 to {_WIDEST_GRID}"
            )
