"""A recipe's [losses]: how much each loss counts, and which query owes the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from vlseg_cli.schema import RecipeError, TableError
from vlseg_cli.schema.tables import Fraction, Natural, NonNegative, read_table

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
