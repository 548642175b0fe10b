"""What training asks of a model: losses from a batch, named groups of weights, a way to be saved.

A model file knows its losses, its tokens and its batch; training knows steps, weights and files.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from torch import Tensor, nn

from vlseg_cli.schema import RecipeError, Sample
from vlseg_cli.worlds.moments import Moments
from vlseg_cli.worlds.text import TextExercise


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
    def words_collator(self) -> Callable[[Sequence[TextExercise]], Batch]:
        """The same for text exercises; ``forward`` takes either batch."""

    def clips_collator(self, size: int | None = None) -> Callable[[Sequence[Moments]], Batch]:
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
