"""What every trainable does alike: name its parameters by part, and teach from pictures alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.random import Generator
from torch import nn

from vlseg_cli.schema import RecipeError, TableError, WeightsError
from vlseg_cli.schema.tables import Fraction, Natural, NonNegative, read_table

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
            'data = "pictures" teaches nothing with [losses] dense_names = 0; give it a weight'
        )
    silent: Collator = replace(collator, silent=True)
    return silent


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
    void: Fraction = 0.1
    points: Natural = 12544  # 0: every cell of the mask map
    assignment: Assignment = "hungarian"
    # Auxiliary heads; 0 leaves them unused.
    dense_names: NonNegative = 0.0
    meant_names: NonNegative = 0.0
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


C = TypeVar("C")


def read_sizes(kind: type[C], values: Mapping[str, Any], system: str) -> C:
    """Make the dataclass ``kind``; lists become tuples.

    Raises WeightsError for unknown keys, wrong types and words that are none of a key's choices.
    """
    try:
        return read_table(kind, values, f"the {system} configuration")
    except TableError as error:
        raise WeightsError(str(error)) from error
