"""What every system's entry in the registry has: how its folders are opened and its models built.

The classes of a system are imported where they are first needed, so that listing all five is cheap.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from vlseg_cli.models.base import FULL, Dtype, Segmenter
from vlseg_cli.models.checkpoint import ModelFolder, open_model_folder, open_official_folder
from vlseg_cli.models.official import OfficialFolder
from vlseg_cli.models.training import Trainable, read_losses
from vlseg_cli.schema.sample import TrainingVocabulary
from vlseg_cli.text.tokenizer import Tokenizer, miniature_tokenizer


class System(ABC):
    """One of the published systems. language: names of the modules that form its language model."""

    language: ClassVar[tuple[str, ...]] = ("language", "lm_head")

    @abstractmethod
    def is_official(self, directory: Path) -> bool:
        """Whether a folder is in the layout of this system's authors."""

    @abstractmethod
    def open_official(self, directory: Path) -> OfficialFolder:
        """Inspect such a folder. Raises WeightsError if it is damaged."""

    @abstractmethod
    def classes(self) -> tuple[type[Any], type[Any], type[Any]]:
        """Its configuration, its network and its segmenter."""

    @abstractmethod
    def training_classes(self) -> tuple[type[Any], Callable[..., Trainable]]:
        """Its [losses] and its trainable."""

    def tokenizer(self, vocabulary: TrainingVocabulary) -> Tokenizer:
        """For a new miniature."""
        return miniature_tokenizer(vocabulary.words, vocabulary.unknown)

    def sizes(self, config: Mapping[str, Any], tokenizer: Tokenizer) -> dict[str, Any]:
        """A recipe's [model.config] with the sizes that depend on the tokenizer."""
        return {**config, "vocabulary": len(tokenizer)}

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> Segmenter:
        """A trained model, ready to use; name: for messages and records.

        Raises WeightsError naming every mismatched tensor.
        """
        config, model, segmenter = self.classes()
        filled = folder.fill(model, config.from_dict(folder.sizes), device, self.language)
        built: Segmenter = segmenter(
            name, filled, folder.tokenizer, folder.names, folder.stuff, device
        )
        return built

    def build(
        self,
        vocabulary: TrainingVocabulary,
        config: Mapping[str, Any],
        losses: Mapping[str, Any],
    ) -> Trainable:
        """A model with random weights for the words and categories of ``vocabulary``.

        config, losses: tables of a recipe. Raises WeightsError or RecipeError for unknown keys.
        """
        tokenizer = self.tokenizer(vocabulary)
        sized = self.classes()[0].from_dict(self.sizes(config, tokenizer))
        weights, trainable = self.training_classes()
        return trainable(sized, tokenizer, vocabulary, read_losses(weights, losses))


def open_folder(system: System, directory: Path, dtype: Dtype = FULL) -> ModelFolder:
    """Open a folder with a model of ``system``, in its authors' layout or ours.

    dtype: of the language model. Raises WeightsError if files are missing or damaged.
    """
    if system.is_official(directory):
        folder = open_official_folder(system.open_official(directory), directory)
    else:
        folder = open_model_folder(directory)
    return replace(folder, dtype=dtype)
