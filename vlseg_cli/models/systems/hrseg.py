"""HRSeg's entry in the registry; LLM-Seg is read as one of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from vlseg_cli.models.official.folder import Official
from vlseg_cli.models.segmenter import Segmenter

if TYPE_CHECKING:
    from vlseg_cli.models.trainable import Trainable


class HRSegSystem:
    """See ``System``."""

    def is_official(self, directory: Path) -> bool:
        """A training folder of DeepSpeed: no other system is published as one."""
        from vlseg_cli.weights.convert.hrseg import LATEST

        return (directory / LATEST).is_file()

    def open_official(self, directory: Path) -> Official:
        """What LLM-Seg's folder holds."""
        from vlseg_cli.models.official.hrseg import open_official_llm_seg

        return open_official_llm_seg(directory)

    def load(
        self, directory: Path, name: str, device: str, dtype: torch.dtype = torch.float32
    ) -> Segmenter:
        """A folder of ours."""
        from vlseg_cli.models.segmenters.hrseg import HRSegSegmenter

        return HRSegSegmenter.load(directory, name, device, dtype)

    def load_official(
        self, directory: Path, name: str, device: str, dtype: torch.dtype = torch.float32
    ) -> Segmenter:
        """LLM-Seg's folder."""
        from vlseg_cli.models.segmenters.hrseg import HRSegSegmenter

        return HRSegSegmenter.load_official(directory, name, device, dtype)

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
