"""What the registry knows of a system: how its folders are recognised, opened, loaded and built.

A system's own file imports its modules inside these methods: whoever uses one system pays for no
other.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch

from vlseg_cli.models.official.folder import Official
from vlseg_cli.models.segmenter import Segmenter

if TYPE_CHECKING:
    from vlseg_cli.models.trainable import Trainable


class System(Protocol):
    """One of the published systems."""

    def is_official(self, directory: Path) -> bool:
        """Whether a folder is one that the authors of this system publish."""
        ...

    def open_official(self, directory: Path) -> Official:
        """Look through such a folder. Raises WeightsError for one that is damaged."""
        ...

    def load(
        self, directory: Path, name: str, device: str, dtype: torch.dtype = torch.float32
    ) -> Segmenter:
        """Read a model folder of ours. Raises WeightsError naming what does not fit."""
        ...

    def load_official(
        self, directory: Path, name: str, device: str, dtype: torch.dtype = torch.float32
    ) -> Segmenter:
        """Read a folder as its authors publish it, converting on the way; nothing is written.

        Raises WeightsError naming every tensor that does not fit.
        """
        ...

    def build(self, config: Mapping[str, Any], losses: Mapping[str, Any]) -> "Trainable":
        """A model with random weights, to be trained on the drawn world.

        config, losses: a recipe's tables; unknown keys are a WeightsError or a RecipeError.
        """
        ...
