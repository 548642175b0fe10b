"""MVP-LM's entry in the registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlseg_cli.models.base import Segmenter
from vlseg_cli.models.checkpoint import ModelFolder
from vlseg_cli.models.official import OfficialFolder, model_type
from vlseg_cli.schema.sample import TrainingVocabulary

if TYPE_CHECKING:
    from vlseg_cli.models.training import Trainable

_LANGUAGE = ("language", "lm_head")


class MVPLMSystem:
    """See ``System``."""

    def is_official(self, directory: Path) -> bool:
        """By its config.json."""
        from vlseg_cli.models.mvp_lm.conversion import MODEL_TYPE

        return model_type(directory) == MODEL_TYPE

    def open_official(self, directory: Path) -> OfficialFolder:
        """What the authors' folder holds."""
        from vlseg_cli.models.mvp_lm.conversion import open_official_mvp_lm

        return open_official_mvp_lm(directory)

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> Segmenter:
        """With the weights of a folder."""
        from vlseg_cli.models.mvp_lm.config import MVPLMConfig
        from vlseg_cli.models.mvp_lm.modeling import MVPLM
        from vlseg_cli.models.mvp_lm.segmenter import MVPLMSegmenter

        model = folder.fill(MVPLM, MVPLMConfig.from_dict(folder.sizes), device, _LANGUAGE)
        return MVPLMSegmenter(name, model, folder.tokenizer, folder.names, folder.stuff, device)

    def build(
        self,
        vocabulary: TrainingVocabulary,
        config: Mapping[str, Any],
        losses: Mapping[str, Any],
    ) -> "Trainable":
        """Random weights for the words and categories of ``vocabulary``."""
        from vlseg_cli.models.mvp_lm.config import MVPLMConfig
        from vlseg_cli.models.mvp_lm.prompts import SUMMARY
        from vlseg_cli.models.mvp_lm.training import MVPLMLosses, TrainableMVPLM
        from vlseg_cli.models.training import read_losses
        from vlseg_cli.text.tokenizer import miniature_tokenizer

        tokenizer = miniature_tokenizer(vocabulary.words)
        tokenizer.rust.add_special_tokens([SUMMARY])
        sizes = {"prompt_style": "plain", **config, "vocabulary": len(tokenizer)}
        if sizes.pop("summary", False):
            sizes["summary_token"] = tokenizer.rust.token_to_id(SUMMARY)
        return TrainableMVPLM(
            MVPLMConfig.from_dict(sizes), tokenizer, vocabulary, read_losses(MVPLMLosses, losses)
        )
