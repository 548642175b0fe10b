"""MVP-LM's entry in the registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlseg_cli.models.loading import ModelFolder
from vlseg_cli.models.official.folder import Official, model_type
from vlseg_cli.models.segmenter import Segmenter

if TYPE_CHECKING:
    from vlseg_cli.models.trainable import Trainable

_LANGUAGE = ("language", "lm_head")


class MVPLMSystem:
    """See ``System``."""

    def is_official(self, directory: Path) -> bool:
        """By its config.json."""
        from vlseg_cli.weights.convert.mvp_lm import MODEL_TYPE

        return model_type(directory) == MODEL_TYPE

    def open_official(self, directory: Path) -> Official:
        """What the authors' folder holds."""
        from vlseg_cli.models.official.mvp_lm import open_official_mvp_lm

        return open_official_mvp_lm(directory)

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> Segmenter:
        """With the weights of a folder."""
        from vlseg_cli.models.configs.mvp_lm import MVPLMConfig
        from vlseg_cli.models.mvp_lm import MVPLM
        from vlseg_cli.models.segmenters.mvp_lm import MVPLMSegmenter

        model = folder.fill(MVPLM, MVPLMConfig.from_dict(folder.sizes), device, _LANGUAGE)
        return MVPLMSegmenter(name, model, folder.tokenizer, folder.names, folder.stuff, device)

    def build(self, config: Mapping[str, Any], losses: Mapping[str, Any]) -> "Trainable":
        """Random weights, the drawn world's words and the summary token."""
        from vlseg_cli.models.configs.mvp_lm import MVPLMConfig
        from vlseg_cli.models.losses.weights import read_losses
        from vlseg_cli.models.trainables.mvp_lm import MVPLMLosses, TrainableMVPLM
        from vlseg_cli.prompts.mvp_lm import SUMMARY
        from vlseg_cli.prompts.world import world_tokenizer
        from vlseg_cli.worlds.categories import NAMES, STUFF

        tokenizer = world_tokenizer()
        tokenizer.rust.add_special_tokens([SUMMARY])
        sizes = {"prompt_style": "plain", **config, "vocabulary": len(tokenizer)}
        if sizes.pop("summary", False):
            sizes["summary_token"] = tokenizer.rust.token_to_id(SUMMARY)
        return TrainableMVPLM(
            MVPLMConfig.from_dict(sizes), tokenizer, NAMES, STUFF, read_losses(MVPLMLosses, losses)
        )
