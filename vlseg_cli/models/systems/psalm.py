"""PSALM's entry in the registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlseg_cli.models.loading import ModelFolder
from vlseg_cli.models.official.folder import Official, holds_tensor, model_type

if TYPE_CHECKING:
    from vlseg_cli.models.sessions.psalm import PSALMVideoSegmenter
    from vlseg_cli.models.trainable import Trainable

_LANGUAGE = ("language", "lm_head")


class PSALMSystem:
    """See ``System``."""

    def is_official(self, directory: Path) -> bool:
        """By its config.json, unless the tensors are those of a HyperSeg that says the same."""
        from vlseg_cli.weights.convert.hyperseg import PERCEIVER
        from vlseg_cli.weights.convert.psalm import MODEL_TYPE

        return model_type(directory) == MODEL_TYPE and not holds_tensor(directory, PERCEIVER)

    def open_official(self, directory: Path) -> Official:
        """What the authors' folder holds."""
        from vlseg_cli.models.official.psalm import open_official_psalm

        return open_official_psalm(directory)

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> "PSALMVideoSegmenter":
        """With the weights of a folder."""
        from vlseg_cli.models.configs.psalm import PSALMConfig
        from vlseg_cli.models.psalm import PSALM
        from vlseg_cli.models.sessions.psalm import PSALMVideoSegmenter

        model = folder.fill(PSALM, PSALMConfig.from_dict(folder.sizes), device, _LANGUAGE)
        return PSALMVideoSegmenter(
            name, model, folder.tokenizer, folder.names, folder.stuff, device
        )

    def build(self, config: Mapping[str, Any], losses: Mapping[str, Any]) -> "Trainable":
        """Random weights, the drawn world's words."""
        from vlseg_cli.models.configs.psalm import PSALMConfig
        from vlseg_cli.models.losses.weights import PromptLosses, read_losses
        from vlseg_cli.models.psalm import PSALM
        from vlseg_cli.models.trainables.psalm import TrainablePSALM
        from vlseg_cli.prompts.world import world_tokenizer
        from vlseg_cli.worlds.categories import NAMES, STUFF

        tokenizer = world_tokenizer()
        sized = PSALMConfig.from_dict({**config, "vocabulary": len(tokenizer)})
        weights = read_losses(PromptLosses, losses)
        return TrainablePSALM(PSALM(sized), tokenizer, NAMES, STUFF, weights)
