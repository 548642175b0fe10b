"""What every system offers to the rest of vlseg: look once, answer many prompts."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

from numpy.typing import NDArray
from torch import Tensor, nn

from vlseg_cli.schema import Frame, Prediction, PromptRequest, RecipeError, Sample, Task, UsageError
from vlseg_cli.schema.sample import ClipFrames, TextSample


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


class Batch(Protocol):
    """The tensors of some samples, opaque to training but for where they lie."""

    def to(self, device: Any) -> Self:
        """The same batch on ``device``."""
        ...


class Trainable(nn.Module):
    """A model as training sees it."""

    @abstractmethod
    def forward(self, batch: Any) -> Mapping[str, Tensor]:
        """Named scalar losses, already weighted; their plain sum is minimised."""

    @abstractmethod
    def collator(self, size: int | None = None) -> Callable[[Sequence[Sample]], Batch]:
        """What makes batches of samples: picklable, without weights, run by worker processes.

        size: side of the model's input in px; None takes the model's own.
        """

    @abstractmethod
    def pictures_collator(self, size: int | None = None) -> Callable[[Sequence[Sample]], Batch]:
        """The same for pictures of which only what each pixel belongs to is learned."""

    @abstractmethod
    def words_collator(self) -> Callable[[Sequence[TextSample]], Batch]:
        """The same for text exercises; ``forward`` takes either batch."""

    def clips_collator(self, size: int | None = None) -> Callable[[Sequence[ClipFrames]], Batch]:
        """The same for moments of clips. Raises RecipeError if the system learns no video."""
        raise RecipeError(f'data = "clips" ({size} px) is nothing that this architecture learns')

    @abstractmethod
    def adapt(self, rank: int, alpha: float, dropout: float, targets: Sequence[str]) -> None:
        """Put LoRA adapters into the language model; they become the group 'lora'.

        What is saved has them merged. Raises RecipeError if no layer has one of these names.
        """

    @abstractmethod
    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Every parameter under the name of its part: 'vision', 'language', ….

        The group 'auxiliary' helps in training alone and is not saved.
        """

    @abstractmethod
    def begin_with(self, directory: Path) -> tuple[str, ...]:
        """Take the weights of a model folder; auxiliary parts keep theirs.

        Returns the names of the model's parts that begin anew, as the folder lacks them. Raises
        WeightsError if they do not fit."""

    @abstractmethod
    def save(self, directory: Path, card: str) -> None:
        """Write config, fp16 weights, tokenizer and model card, as ``--model DIRECTORY`` reads."""
