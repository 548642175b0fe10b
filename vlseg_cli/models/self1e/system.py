"""SELF1E's entry in the registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlseg_cli.models.base import Segmenter
from vlseg_cli.models.checkpoint import ModelFolder
from vlseg_cli.models.official import OfficialFolder, model_type
from vlseg_cli.schema.sample import TrainingVocabulary

if TYPE_CHECKING:
    from vlseg_cli.models.training import Trainable

_LANGUAGE = ("internvl.model.language_model", "internvl.lm_head")


class SELF1ESystem:
    """See ``System``."""

    def is_official(self, directory: Path) -> bool:
        """By its config.json."""
        from vlseg_cli.models.self1e.conversion import MODEL_TYPES

        return model_type(directory) in MODEL_TYPES

    def open_official(self, directory: Path) -> OfficialFolder:
        """What the authors' folder holds."""
        from vlseg_cli.models.self1e.conversion import open_official_self1e

        return open_official_self1e(directory)

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> Segmenter:
        """With the weights of a folder."""
        from vlseg_cli.models.self1e.config import SELF1EConfig
        from vlseg_cli.models.self1e.modeling import SELF1E
        from vlseg_cli.models.self1e.segmenter import SELF1ESegmenter

        model = folder.fill(SELF1E, SELF1EConfig.from_dict(folder.sizes), device, _LANGUAGE)
        return SELF1ESegmenter(name, model, folder.tokenizer, folder.names, folder.stuff, device)

    def build(
        self,
        vocabulary: TrainingVocabulary,
        config: Mapping[str, Any],
        losses: Mapping[str, Any],
    ) -> "Trainable":
        """Random weights for the words and categories of ``vocabulary``."""
        from vlseg_cli.models.self1e.config import SELF1EConfig
        from vlseg_cli.models.self1e.prompts import self1e_tokenizer
        from vlseg_cli.models.self1e.training import SELF1ELosses, TrainableSELF1E
        from vlseg_cli.models.training import read_losses

        tokenizer = self1e_tokenizer(vocabulary.words)
        sized = SELF1EConfig.from_dict({**config, "vocabulary": len(tokenizer)})
        return TrainableSELF1E(sized, tokenizer, vocabulary, read_losses(SELF1ELosses, losses))
