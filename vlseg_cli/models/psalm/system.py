"""PSALM's entry in the registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlseg_cli.models.checkpoint import ModelFolder
from vlseg_cli.models.official import OfficialFolder, holds_tensor, model_type
from vlseg_cli.schema.sample import TrainingVocabulary

if TYPE_CHECKING:
    from vlseg_cli.models.psalm.video import PSALMVideoSegmenter
    from vlseg_cli.models.training import Trainable

_LANGUAGE = ("language", "lm_head")


class PSALMSystem:
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

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> "PSALMVideoSegmenter":
        """See ``System``."""
        from vlseg_cli.models.psalm.config import PSALMConfig
        from vlseg_cli.models.psalm.modeling import PSALM
        from vlseg_cli.models.psalm.video import PSALMVideoSegmenter

        model = folder.fill(PSALM, PSALMConfig.from_dict(folder.sizes), device, _LANGUAGE)
        return PSALMVideoSegmenter(
            name, model, folder.tokenizer, folder.names, folder.stuff, device
        )

    def build(
        self,
        vocabulary: TrainingVocabulary,
        config: Mapping[str, Any],
        losses: Mapping[str, Any],
    ) -> "Trainable":
        """See ``System``."""
        from vlseg_cli.models.psalm.config import PSALMConfig
        from vlseg_cli.models.psalm.modeling import PSALM
        from vlseg_cli.models.psalm.training import TrainablePSALM
        from vlseg_cli.models.training import PromptLosses, read_losses
        from vlseg_cli.text.tokenizer import miniature_tokenizer

        tokenizer = miniature_tokenizer(vocabulary.words)
        sized = PSALMConfig.from_dict({**config, "vocabulary": len(tokenizer)})
        weights = read_losses(PromptLosses, losses)
        return TrainablePSALM(PSALM(sized), tokenizer, vocabulary, weights)
