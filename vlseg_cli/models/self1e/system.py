"""SELF1E's entry in the registry."""

from pathlib import Path
from typing import Any

from vlseg_cli.models.official import OfficialFolder, model_type
from vlseg_cli.models.self1e.prompts import self1e_tokenizer
from vlseg_cli.models.system import System
from vlseg_cli.models.training import Trainable
from vlseg_cli.schema.sample import TrainingVocabulary
from vlseg_cli.text.tokenizer import Tokenizer


class SELF1ESystem(System):
    """See ``System``."""

    language = ("internvl.model.language_model", "internvl.lm_head")

    def is_official(self, directory: Path) -> bool:
        """By its config.json."""
        from vlseg_cli.models.self1e.conversion import MODEL_TYPES

        return model_type(directory) in MODEL_TYPES

    def open_official(self, directory: Path) -> OfficialFolder:
        """See ``System``."""
        from vlseg_cli.models.self1e.conversion import open_official_self1e

        return open_official_self1e(directory)

    def classes(self) -> tuple[type[Any], type[Any], type[Any]]:
        """See ``System``."""
        from vlseg_cli.models.self1e.config import SELF1EConfig
        from vlseg_cli.models.self1e.modeling import SELF1E
        from vlseg_cli.models.self1e.segmenter import SELF1ESegmenter

        return SELF1EConfig, SELF1E, SELF1ESegmenter

    def training_classes(self) -> tuple[type[Any], type[Trainable]]:
        """See ``System``."""
        from vlseg_cli.models.self1e.training import SELF1ELosses, TrainableSELF1E

        return SELF1ELosses, TrainableSELF1E

    def tokenizer(self, vocabulary: TrainingVocabulary) -> Tokenizer:
        """See ``System``."""
        return self1e_tokenizer(vocabulary.words, vocabulary.unknown)
