"""Interface between the registry and a system: recognize and open folders, load, build.

Systems import their modules inside these methods, so that using one does not import the others.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from vlseg_cli.models.base import Segmenter
from vlseg_cli.models.checkpoint import ModelFolder, open_model_folder, open_official_folder
from vlseg_cli.models.official import OfficialFolder
from vlseg_cli.models.precision import FULL, Dtype
from vlseg_cli.models.training import Trainable
from vlseg_cli.schema.sample import TrainingVocabulary


class System(Protocol):
    """One of the published systems."""

    def is_official(self, directory: Path) -> bool:
        """Whether a folder is in the layout of this system's authors."""
        ...

    def open_official(self, directory: Path) -> OfficialFolder:
        """Inspect such a folder. Raises WeightsError if it is damaged."""
        ...

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> Segmenter:
        """A trained model, ready to use; name: for messages and records.

        Raises WeightsError naming every mismatched tensor.
        """
        ...

    def build(
        self,
        vocabulary: TrainingVocabulary,
        config: Mapping[str, Any],
        losses: Mapping[str, Any],
    ) -> "Trainable":
        """A model with random weights, to be trained.

        config, losses: tables of a recipe. Raises WeightsError or RecipeError for unknown keys.
        """
        ...


def open_folder(system: System, directory: Path, dtype: Dtype = FULL) -> ModelFolder:
    """Open a folder with a model of ``system``, in its authors' layout or ours.

    dtype: of the language model. Raises WeightsError if files are missing or damaged.
    """
    if system.is_official(directory):
        folder = open_official_folder(system.open_official(directory), directory)
    else:
        folder = open_model_folder(directory)
    return replace(folder, dtype=dtype)
