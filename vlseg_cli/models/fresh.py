"""A model with random weights, to be trained; using a trained one needs none of this."""

from collections.abc import Mapping
from typing import Any

from vlseg_cli.models.registry import SYSTEMS
from vlseg_cli.models.trainable import Trainable
from vlseg_cli.schema import RecipeError


def build_model(
    architecture: str, config: Mapping[str, Any], losses: Mapping[str, Any] | None = None
) -> Trainable:
    """A model with random weights that reads the drawn world's words."""
    if architecture not in SYSTEMS:
        raise RecipeError(
            f"unknown architecture {architecture!r} in [model]; there is {', '.join(SYSTEMS)}"
        )
    return SYSTEMS[architecture].build(config, losses or {})
