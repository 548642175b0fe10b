"""SELF1E's entry in the registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlseg_cli.models.loading import ModelFolder
from vlseg_cli.models.official.folder import Official, model_type
from vlseg_cli.models.segmenter import Segmenter

if TYPE_CHECKING:
    from vlseg_cli.models.trainable import Trainable

_LANGUAGE = ("internvl.model.language_model", "internvl.lm_head")


class SELF1ESystem:
    """See ``System``."""

    def is_official(self, directory: Path) -> bool:
        """By its config.json."""
        from vlseg_cli.weights.convert.self1e import MODEL_TYPES

        return model_type(directory) in MODEL_TYPES

    def open_official(self, directory: Path) -> Official:
        """What the authors' folder holds."""
        from vlseg_cli.models.official.self1e import open_official_self1e

        return open_official_self1e(directory)

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> Segmenter:
        """With the weights of a folder."""
        from vlseg_cli.models.configs.self1e import SELF1EConfig
        from vlseg_cli.models.segmenters.self1e import SELF1ESegmenter
        from vlseg_cli.models.self1e import SELF1E

        model = folder.fill(SELF1E, SELF1EConfig.from_dict(folder.sizes), device, _LANGUAGE)
        return SELF1ESegmenter(name, model, folder.tokenizer, folder.names, folder.stuff, device)

    def build(self, config: Mapping[str, Any], losses: Mapping[str, Any]) -> "Trainable":
        """Random weights, the drawn world's words."""
        from vlseg_cli.models.configs.self1e import SELF1EConfig
        from vlseg_cli.models.losses.weights import read_losses
        from vlseg_cli.models.trainables.self1e import SELF1ELosses, TrainableSELF1E
        from vlseg_cli.prompts.self1e import miniature_tokenizer
        from vlseg_cli.worlds.categories import NAMES, STUFF
        from vlseg_cli.worlds.vocabulary import words

        tokenizer = miniature_tokenizer(words())
        sized = SELF1EConfig.from_dict({**config, "vocabulary": len(tokenizer)})
        return TrainableSELF1E(sized, tokenizer, NAMES, STUFF, read_losses(SELF1ELosses, losses))
