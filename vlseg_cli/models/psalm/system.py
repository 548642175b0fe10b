"""PSALM's entry in the registry."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vlseg_cli.models.official import OfficialFolder, holds_tensor, model_type
from vlseg_cli.models.system import System
from vlseg_cli.models.training import PromptLosses, Trainable


class PSALMSystem(System):
    """See ``System``."""

    def is_official(self, directory: Path) -> bool:
        """By its config.json, which a HyperSeg may share; its tensors differ."""
        from vlseg_cli.models.mask2former.conversion import PERCEIVER
        from vlseg_cli.models.psalm.conversion import MODEL_TYPE

        return model_type(directory) == MODEL_TYPE and not holds_tensor(directory, PERCEIVER)

    def open_official(self, directory: Path) -> OfficialFolder:
        """See ``System``."""
        from vlseg_cli.models.psalm.conversion import open_official_psalm

        return open_official_psalm(directory)

    def classes(self) -> tuple[type[Any], type[Any], type[Any]]:
        """See ``System``."""
        from vlseg_cli.models.psalm.config import PSALMConfig
        from vlseg_cli.models.psalm.modeling import PSALM
        from vlseg_cli.models.psalm.video import PSALMVideoSegmenter

        return PSALMConfig, PSALM, PSALMVideoSegmenter

    def training_classes(self) -> tuple[type[Any], Callable[..., Trainable]]:
        """See ``System``; proposals that come first are learned in another way."""
        from vlseg_cli.models.psalm.proposal_training import trainable_psalm

        return PromptLosses, trainable_psalm
