"""HRSeg's entry in the registry; LLM-Seg's checkpoints are opened as HRSeg."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlseg_cli.models.base import Segmenter
from vlseg_cli.models.checkpoint import ModelFolder
from vlseg_cli.models.official import OfficialFolder
from vlseg_cli.schema.sample import TrainingVocabulary

if TYPE_CHECKING:
    from vlseg_cli.models.training import Trainable

_LANGUAGE = ("llava.model.language_model", "lm_head")


class HRSegSystem:
    """See ``System``."""

    def is_official(self, directory: Path) -> bool:
        """A training folder of DeepSpeed: no other system is published as one."""
        from vlseg_cli.weights.resolve import is_deepspeed

        return is_deepspeed(directory)

    def open_official(self, directory: Path) -> OfficialFolder:
        """What LLM-Seg's folder holds."""
        from vlseg_cli.models.hrseg.conversion import open_official_llm_seg

        return open_official_llm_seg(directory)

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> Segmenter:
        """With the weights of a folder."""
        from vlseg_cli.models.hrseg.config import HRSegConfig
        from vlseg_cli.models.hrseg.modeling import HRSeg
        from vlseg_cli.models.hrseg.segmenter import HRSegSegmenter
        from vlseg_cli.weights.resolve import model_digest

        model = folder.fill(HRSeg, HRSegConfig.from_dict(folder.sizes), device, _LANGUAGE)
        digest = model_digest(folder.directory)
        return HRSegSegmenter(name, model, folder.tokenizer, digest, device)

    def build(
        self,
        vocabulary: TrainingVocabulary,
        config: Mapping[str, Any],
        losses: Mapping[str, Any],
    ) -> "Trainable":
        """Random weights for the words and categories of ``vocabulary``."""
        from vlseg_cli.models.hrseg.config import HRSegConfig
        from vlseg_cli.models.hrseg.training import HRSegLosses, TrainableHRSeg
        from vlseg_cli.models.training import read_losses
        from vlseg_cli.text.tokenizer import miniature_tokenizer

        tokenizer = miniature_tokenizer(vocabulary.words)
        sized = HRSegConfig.from_dict({**config, "vocabulary": len(tokenizer)})
        return TrainableHRSeg(sized, tokenizer, vocabulary, read_losses(HRSegLosses, losses))
