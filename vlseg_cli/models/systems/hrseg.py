"""HRSeg's entry in the registry; LLM-Seg is read as one of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlseg_cli.models.loading import ModelFolder
from vlseg_cli.models.official.folder import Official
from vlseg_cli.models.segmenter import Segmenter

if TYPE_CHECKING:
    from vlseg_cli.models.trainable import Trainable

_LANGUAGE = ("llava.model.language_model", "lm_head")


class HRSegSystem:
    """See ``System``."""

    def is_official(self, directory: Path) -> bool:
        """A training folder of DeepSpeed: no other system is published as one."""
        from vlseg_cli.weights.read.deepspeed import is_deepspeed

        return is_deepspeed(directory)

    def open_official(self, directory: Path) -> Official:
        """What LLM-Seg's folder holds."""
        from vlseg_cli.models.official.hrseg import open_official_llm_seg

        return open_official_llm_seg(directory)

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> Segmenter:
        """With the weights of a folder."""
        from vlseg_cli.models.configs.hrseg import HRSegConfig
        from vlseg_cli.models.hrseg import HRSeg
        from vlseg_cli.models.segmenters.hrseg import HRSegSegmenter
        from vlseg_cli.weights.resolve import model_digest

        model = folder.fill(HRSeg, HRSegConfig.from_dict(folder.sizes), device, _LANGUAGE)
        digest = model_digest(folder.directory)
        return HRSegSegmenter(name, model, folder.tokenizer, digest, device)

    def build(self, config: Mapping[str, Any], losses: Mapping[str, Any]) -> "Trainable":
        """Random weights, the drawn world's words."""
        from vlseg_cli.models.configs.hrseg import HRSegConfig
        from vlseg_cli.models.losses.weights import read_losses
        from vlseg_cli.models.trainables.hrseg import HRSegLosses, TrainableHRSeg
        from vlseg_cli.prompts.world import world_tokenizer
        from vlseg_cli.worlds.categories import NAMES

        tokenizer = world_tokenizer()
        sized = HRSegConfig.from_dict({**config, "vocabulary": len(tokenizer)})
        return TrainableHRSeg(sized, tokenizer, NAMES, read_losses(HRSegLosses, losses))
