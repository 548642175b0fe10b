"""MVP-LM's entry in the registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlseg_cli.models.mvp_lm.prompts import SUMMARY
from vlseg_cli.models.official import OfficialFolder, model_type
from vlseg_cli.models.system import System
from vlseg_cli.models.training import Trainable
from vlseg_cli.schema.sample import TrainingVocabulary
from vlseg_cli.text.tokenizer import Tokenizer


class MVPLMSystem(System):
    """See ``System``."""

    def is_official(self, directory: Path) -> bool:
        """By its config.json."""
        from vlseg_cli.models.mvp_lm.conversion import MODEL_TYPE

        return model_type(directory) == MODEL_TYPE

    def open_official(self, directory: Path) -> OfficialFolder:
        """See ``System``."""
        from vlseg_cli.models.mvp_lm.conversion import open_official_mvp_lm

        return open_official_mvp_lm(directory)

    def classes(self) -> tuple[type[Any], type[Any], type[Any]]:
        """See ``System``."""
        from vlseg_cli.models.mvp_lm.config import MVPLMConfig
        from vlseg_cli.models.mvp_lm.modeling import MVPLM
        from vlseg_cli.models.mvp_lm.segmenter import MVPLMSegmenter

        return MVPLMConfig, MVPLM, MVPLMSegmenter

    def training_classes(self) -> tuple[type[Any], type[Trainable]]:
        """See ``System``."""
        from vlseg_cli.models.mvp_lm.training import MVPLMLosses, TrainableMVPLM

        return MVPLMLosses, TrainableMVPLM

    def tokenizer(self, vocabulary: TrainingVocabulary) -> Tokenizer:
        """See ``System``; also reads the summary token."""
        tokenizer = super().tokenizer(vocabulary)
        tokenizer.rust.add_special_tokens([SUMMARY])
        return tokenizer

    def sizes(self, config: Mapping[str, Any], tokenizer: Tokenizer) -> dict[str, Any]:
        """See ``System``; ``summary = true`` in a recipe stands for the token's id."""
        sizes = {"prompt_style": "plain", **super().sizes(config, tokenizer)}
        if sizes.pop("summary", False):
            sizes["summary_token"] = tokenizer.rust.token_to_id(SUMMARY)
        return sizes
