"""What the registry knows of a system: how its folders are recognized, opened, used and built.

A system's own file imports its modules inside these methods, so that using one system does not
import the others.
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
        """Whether a folder is one that the authors of this system publish."""
        ...

    def open_official(self, directory: Path) -> OfficialFolder:
        """Look through such a folder. Raises WeightsError for one that is damaged."""
        ...

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> Segmenter:
        """A trained model, ready to use; name: what it is called in messages and records.

        Raises WeightsError naming every tensor that does not fit.
        """
        ...

    def build(
        self,
        vocabulary: TrainingVocabulary,
        config: Mapping[str, Any],
        losses: Mapping[str, Any],
    ) -> "Trainable":
        """A model with random weights, to be trained.

        config, losses: a recipe's tables; unknown keys are a WeightsError or a RecipeError.
        """
        ...


def open_folder(system: System, directory: Path, dtype: Dtype = FULL) -> ModelFolder:
    """A folder that holds a model of ``system``, in its authors' layout or ours.

    dtype: what its language model is to be held in.
    Raises WeightsError if a part of it is missing or damaged.
    """
    if system.is_official(directory):
        folder = open_official_folder(system.open_official(directory), directory)
    else:
        folder = open_model_folder(directory)
    return replace(folder, dtype=dtype)
