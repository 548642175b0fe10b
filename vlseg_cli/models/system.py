"""What the registry knows of a system: how its folders are known, opened, used and built anew.

A system's own file imports its modules inside these methods: whoever uses one system pays for no
other.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vlseg_cli.models.loading import ModelFolder, open_ours, open_theirs
from vlseg_cli.models.official.folder import Official
from vlseg_cli.models.precision import FULL, Dtype
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

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> Segmenter:
        """A trained model, ready to use; name: what it is called in messages and records.

        Raises WeightsError naming every tensor that does not fit.
        """
        ...

    def build(self, config: Mapping[str, Any], losses: Mapping[str, Any]) -> "Trainable":
        """A model with random weights, to be trained on the drawn world.

        config, losses: a recipe's tables; unknown keys are a WeightsError or a RecipeError.
        """
        ...


def open_folder(system: System, directory: Path, dtype: Dtype = FULL) -> ModelFolder:
    """A folder that holds a model of ``system``, in its authors' layout or ours.

    dtype: what its language model is to be held in.
    Raises WeightsError if a part of it is missing or damaged.
    """
    if system.is_official(directory):
        folder = open_theirs(system.open_official(directory), directory)
    else:
        folder = open_ours(directory)
    return replace(folder, dtype=dtype)
