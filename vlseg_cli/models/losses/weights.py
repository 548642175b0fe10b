"""A recipe's [losses]: how much each loss counts, and which query owes the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args

from vlseg_cli.schema import RecipeError

Assignment = Literal["hungarian", "first"]


@dataclass(frozen=True, slots=True)
class PromptLosses:
    """Weights and choices of a recipe's [losses]; the defaults are the paper's."""

    mask: float = 5.0
    dice: float = 5.0
    category: float = 2.0
    sentence: float = 2.0
    region: float = 2.0
    void: float = 0.1
    points: int = 12544  # 0: every cell of the mask map
    assignment: Assignment = "hungarian"
    # Auxiliary heads; 0 leaves them unused.
    dense_names: float = 0.0
    meant_names: float = 0.0
    boxes: float = 0.0
    pointing: float = 0.0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Unknown keys and an unknown assignment are a RecipeError."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise RecipeError(f"[losses] has unknown keys: {', '.join(unknown)}")
        losses = cls(**values)
        if losses.assignment not in get_args(Assignment):
            raise RecipeError(
                f"[losses] assignment is {losses.assignment!r}; it can be "
                f"{' or '.join(get_args(Assignment))}"
            )
        return losses
