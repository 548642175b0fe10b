"""What training needs of a model (``Trainable``), and what every system's trainable shares: batches
that move to a device, parameter groups, dense-only collators, the seeded generator.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self, TypeVar

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn

from vlseg_cli.nn.lora import merged_state_dict
from vlseg_cli.schema import RecipeError, Sample, TableError
from vlseg_cli.schema.sample import ClipFrames, FactSample, TextSample
from vlseg_cli.schema.tables import Formerly, Fraction, Natural, NonNegative, read_table
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.folder import save_folder

V = TypeVar("V")


class Batch(Protocol):
    """The tensors of some samples; training only moves them."""

    def to(self, device: Any) -> Self:
        """The same batch on ``device``."""
        ...


@dataclass(frozen=True, slots=True)
class TensorBatch:
    """Base of a batch: a dataclass of tensors, of sequences, named tuples, dataclasses of them."""

    def to(self, device: torch.device | str) -> Self:
        """The same batch on a device."""
        moved: Self = to_device(self, device)
        return moved


def to_device(value: Any, device: torch.device | str) -> Any:
    """Every tensor within a dataclass, named tuple or list moved to a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
        return replace(value, **{name: to_device(getattr(value, name), device) for name in names})
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(to_device(entry, device) for entry in value))
    if isinstance(value, list | tuple):
        return type(value)(to_device(entry, device) for entry in value)
    return value


class Trainable(nn.Module):
    """A model as training sees it, with its tokenizer and the weights of its losses.

    architecture: its name in the registry. model, tokenizer: what is saved. names, stuff: the
    categories it is trained with. weights: a recipe's [losses].
    """

    architecture: ClassVar[str]
    model: Any
    tokenizer: Tokenizer
    names: tuple[str, ...]
    stuff: tuple[bool, ...]
    weights: Any

    @abstractmethod
    def forward(self, batch: Any) -> Mapping[str, Tensor]:
        """Named scalar losses, already weighted; their plain sum is minimized."""

    @abstractmethod
    def collator(self, size: int | None = None) -> Callable[[Sequence[Sample]], Batch]:
        """The function from samples to a batch: picklable, without weights, for worker processes.

        size: side of the model's input in px; None takes the model's own.
        """

    def dense_collator(self, size: int | None = None) -> Callable[[Sequence[Sample]], Batch]:
        """The same for samples of which only the category of each pixel is learned.

        Raises RecipeError if the loss that learns it has weight 0.
        """
        if not self.weights.dense_names:
            raise RecipeError(
                'data = "dense" teaches nothing with [losses] dense_names = 0; give it a weight'
            )
        dense: Any = self.collator(size)
        collator: Callable[[Sequence[Sample]], Batch] = replace(dense, dense_only=True)
        return collator

    @abstractmethod
    def text_collator(self) -> Callable[[Sequence[TextSample]], Batch]:
        """The same for text samples without images; ``forward`` takes either batch."""

    def fact_collator(self) -> Callable[[Sequence[FactSample]], Batch]:
        """The same for facts of scenes without images. Raises RecipeError if it learns none."""
        raise RecipeError('data = "facts" is nothing that this architecture learns')

    def clip_collator(self, size: int | None = None) -> Callable[[Sequence[ClipFrames]], Batch]:
        """The same for frames of clips. Raises RecipeError if the system learns no video."""
        raise RecipeError(f'data = "clips" ({size} px) is nothing that this architecture learns')

    @abstractmethod
    def add_lora(self, rank: int, alpha: float, dropout: float, targets: Sequence[str]) -> None:
        """Add LoRA adapters to the language model; they become the group 'lora'.

        What is saved has them merged. Raises RecipeError if no layer has one of these names.
        """

    @abstractmethod
    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Every parameter under the name of its part: 'vision', 'language', ….

        The group 'auxiliary' is used in training only and is not saved.
        """

    @abstractmethod
    def init_from(self, directory: Path) -> tuple[str, ...]:
        """Load the weights of a model folder; auxiliary parts keep theirs.

        Returns the names of the model's parts that the folder lacks and that keep their random
        weights. Raises WeightsError if the folder does not fit."""

    def save(self, directory: Path, card: str) -> None:
        """Write a folder for ``--model DIRECTORY``: config.json, tokenizer.json, model.safetensors
        (fp16) and README.md, which is ``card``."""
        settings = {
            "architecture": self.architecture,
            "config": asdict(self.model.config),
            "categories": {"names": self.names, "stuff": self.stuff},
        }
        save_folder(directory, merged_state_dict(self.model), settings, self.tokenizer.save, card)


def parameters_by_part(
    parts: Mapping[str, Sequence[nn.Module]], adapters: Iterable[nn.Parameter]
) -> dict[str, list[nn.Parameter]]:
    """Each parameter under the first part that has it; adapters under none."""
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
    """The same with 'lora', if there are adapters, and 'heads' for all other parameters."""
    groups = parameters_by_part(parts, adapters)
    if adapters:
        groups["lora"] = list(adapters)
    taken = {id(p) for group in groups.values() for p in group}
    groups["heads"] = [p for p in whole.parameters() if id(p) not in taken]
    return groups


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
    appearance: NonNegative = 0.0


def read_losses(kind: type[V], values: Mapping[str, Any]) -> V:
    """A recipe's [losses] as the dataclass ``kind``.

    Raises RecipeError for unknown keys, wrong types and values out of range.
    """
    try:
        return read_table(kind, values, "[losses]")
    except TableError as error:
        raise RecipeError(str(error)) from error


def seeded_rng(*key: str) -> Generator:
    """A generator that depends on the key alone, the same in every process and run."""
    return np.random.default_rng(list(" ".join(key).encode()))
