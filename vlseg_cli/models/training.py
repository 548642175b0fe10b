"""What every trainable does alike: name its parameters by part, and teach from pictures alone."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self, TypeVar

import numpy as np
from numpy.random import Generator
from torch import Tensor, nn

from vlseg_cli.schema import RecipeError, Sample, TableError
from vlseg_cli.schema.sample import ClipFrames, TextSample
from vlseg_cli.schema.tables import Formerly, Fraction, Natural, NonNegative, read_table


class Batch(Protocol):
    """The tensors of some samples, opaque to training but for where they lie."""

    def to(self, device: Any) -> Self:
        """The same batch on ``device``."""
        ...


class Trainable(nn.Module):
    """A model as training sees it."""

    @abstractmethod
    def forward(self, batch: Any) -> Mapping[str, Tensor]:
        """Named scalar losses, already weighted; their plain sum is minimized."""

    @abstractmethod
    def collator(self, size: int | None = None) -> Callable[[Sequence[Sample]], Batch]:
        """What makes batches of samples: picklable, without weights, run by worker processes.

        size: side of the model's input in px; None takes the model's own.
        """

    @abstractmethod
    def dense_collator(self, size: int | None = None) -> Callable[[Sequence[Sample]], Batch]:
        """The same for pictures of which only what each pixel belongs to is learned."""

    @abstractmethod
    def text_collator(self) -> Callable[[Sequence[TextSample]], Batch]:
        """The same for text exercises; ``forward`` takes either batch."""

    def clip_collator(self, size: int | None = None) -> Callable[[Sequence[ClipFrames]], Batch]:
        """The same for moments of clips. Raises RecipeError if the system learns no video."""
        raise RecipeError(f'data = "clips" ({size} px) is nothing that this architecture learns')

    @abstractmethod
    def add_lora(self, rank: int, alpha: float, dropout: float, targets: Sequence[str]) -> None:
        """Put LoRA adapters into the language model; they become the group 'lora'.

        What is saved has them merged. Raises RecipeError if no layer has one of these names.
        """

    @abstractmethod
    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Every parameter under the name of its part: 'vision', 'language', ….

        The group 'auxiliary' helps in training alone and is not saved.
        """

    @abstractmethod
    def init_from(self, directory: Path) -> tuple[str, ...]:
        """Take the weights of a model folder; auxiliary parts keep theirs.

        Returns the names of the model's parts that begin anew, as the folder lacks them. Raises
        WeightsError if they do not fit."""

    @abstractmethod
    def save(self, directory: Path, card: str) -> None:
        """Write config, fp16 weights, tokenizer and model card, as ``--model DIRECTORY`` reads."""


Collator = TypeVar("Collator", bound=Any)


def parameters_by_part(
    parts: Mapping[str, Sequence[nn.Module]], adapters: Iterable[nn.Parameter]
) -> dict[str, list[nn.Parameter]]:
    """Each parameter under the first part that has it; adapters, which lie within, under none."""
    taken = {id(p) for p in adapters}
    groups: dict[str, list[nn.Parameter]] = {}
    for name, modules in parts.items():
        groups[name] = [p for m in modules for p in m.parameters() if id(p) not in taken]
        taken |= {id(p) for p in groups[name]}
    return groups


def groups_with_heads(
    whole: nn.Module,
    parts: Mapping[str, Sequence[nn.Module]],
    adapters: Sequence[nn.Parameter],
) -> dict[str, list[nn.Parameter]]:
    """The same with 'lora', if there are adapters, and 'heads' for what no part has."""
    groups = parameters_by_part(parts, adapters)
    if adapters:
        groups["lora"] = list(adapters)
    taken = {id(p) for group in groups.values() for p in group}
    groups["heads"] = [p for p in whole.parameters() if id(p) not in taken]
    return groups


def dense_only(collator: Collator, dense_names: float) -> Collator:
    """A collator that asks nothing but which name each cell has. dense_names: weight of the loss.

    Raises RecipeError if the loss that teaches it is switched off.
    """
    if not dense_names:
        raise RecipeError(
            'data = "dense" teaches nothing with [losses] dense_names = 0; give it a weight'
        )
    dense: Collator = replace(collator, dense_only=True)
    return dense


L = TypeVar("L")
Assignment = Literal["hungarian", "first"]


@dataclass(frozen=True, slots=True)
class PromptLosses:
    """Weights and choices of a recipe's [losses]; the defaults are the paper's."""

    mask: NonNegative = 5.0
    dice: NonNegative = 5.0
    category: NonNegative = 2.0
    sentence: NonNegative = 2.0
    region: NonNegative = 2.0
    no_object_weight: Annotated[Fraction, Formerly("void")] = 0.1
    points: Natural = 12544  # 0: every cell of the mask map
    assignment: Assignment = "hungarian"
    # Auxiliary heads; 0 leaves them unused.
    dense_names: NonNegative = 0.0
    sentence_class: Annotated[NonNegative, Formerly("meant_names")] = 0.0
    boxes: NonNegative = 0.0
    pointing: NonNegative = 0.0


def read_losses(kind: type[L], values: Mapping[str, Any]) -> L:
    """Make the dataclass ``kind`` of a recipe's [losses].

    Raises RecipeError for unknown keys, wrong types and values that cannot be.
    """
    try:
        return read_table(kind, values, "[losses]")
    except TableError as error:
        raise RecipeError(str(error)) from error


def seeded_rng(*key: str) -> Generator:
    """The same key, the same draws, in every process and run."""
    return np.random.default_rng(list(" ".join(key).encode()))
