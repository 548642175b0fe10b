"""What every trainable does alike: name its parameters by part, and teach from pictures alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from torch import nn

from vlseg_cli.schema import RecipeError

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


def silenced(collator: Collator, dense_names: float) -> Collator:
    """A collator that asks nothing but which name each cell has. dense_names: weight of the loss.

    Raises RecipeError if the loss that teaches it is switched off.
    """
    if not dense_names:
        raise RecipeError(
            'data = "pictures" teaches nothing with [losses] dense_names = 0; give it a weight'
        )
    silent: Collator = replace(collator, silent=True)
    return silent
