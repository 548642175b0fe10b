"""HRSeg's entry in the registry; LLM-Seg's checkpoints are opened as HRSeg."""

from pathlib import Path
from typing import Any

from vlseg_cli.models.base import Segmenter
from vlseg_cli.models.checkpoint import ModelFolder
from vlseg_cli.models.official import OfficialFolder
from vlseg_cli.models.system import System
from vlseg_cli.models.training import Trainable
from vlseg_cli.weights.digest import model_digest
from vlseg_cli.weights.resolve import is_deepspeed


class HRSegSystem(System):
    """See ``System``."""

    language = ("llava.model.language_model", "lm_head")

    def is_official(self, directory: Path) -> bool:
        """A training folder of DeepSpeed: no other system is published as one."""
        return is_deepspeed(directory)

    def open_official(self, directory: Path) -> OfficialFolder:
        """See ``System``."""
        from vlseg_cli.models.hrseg.conversion import open_official_llm_seg

        return open_official_llm_seg(directory)

    def classes(self) -> tuple[type[Any], type[Any], type[Any]]:
        """See ``System``."""
        from vlseg_cli.models.hrseg.config import HRSegConfig
        from vlseg_cli.models.hrseg.modeling import HRSeg
        from vlseg_cli.models.hrseg.segmenter import HRSegSegmenter

        return HRSegConfig, HRSeg, HRSegSegmenter

    def training_classes(self) -> tuple[type[Any], type[Trainable]]:
        """See ``System``."""
        from vlseg_cli.models.hrseg.training import HRSegLosses, TrainableHRSeg

        return HRSegLosses, TrainableHRSeg

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> Segmenter:
        """See ``System``; the digest of its weights tells cached scores of proposals apart."""
        config, model, segmenter = self.classes()
        filled = folder.fill(model, config.from_dict(folder.sizes), device, self.language)
        built: Segmenter = segmenter(
            name, filled, folder.tokenizer, model_digest(folder.directory), device
        )
        return built
