"""HyperSeg's entry in the registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlseg_cli.models.loading import ModelFolder
from vlseg_cli.models.official.folder import Official, holds_tensor, model_type
from vlseg_cli.models.segmenter import Segmenter

if TYPE_CHECKING:
    from vlseg_cli.models.trainable import Trainable

_LANGUAGE = ("language", "lm_head")


class HyperSegSystem:
    """See ``System``."""

    def is_official(self, directory: Path) -> bool:
        """By its config.json, and by its tensors where that says what PSALM's says."""
        from vlseg_cli.weights.convert.hyperseg import LLAVA, MIPHA, PERCEIVER

        kind = model_type(directory)
        return kind == MIPHA or (kind == LLAVA and holds_tensor(directory, PERCEIVER))

    def open_official(self, directory: Path) -> Official:
        """What the authors' folder holds."""
        from vlseg_cli.models.official.hyperseg import open_official_hyperseg

        return open_official_hyperseg(directory)

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> Segmenter:
        """With the weights of a folder."""
        from vlseg_cli.models.configs.hyperseg import HyperSegConfig
        from vlseg_cli.models.hyperseg import HyperSeg
        from vlseg_cli.models.sessions.hyperseg import HyperSegVideoSegmenter

        model = folder.fill(HyperSeg, HyperSegConfig.from_dict(folder.sizes), device, _LANGUAGE)
        return HyperSegVideoSegmenter(
            name, model, folder.tokenizer, folder.names, folder.stuff, device
        )

    def build(self, config: Mapping[str, Any], losses: Mapping[str, Any]) -> "Trainable":
        """Random weights, the drawn world's words."""
        from vlseg_cli.models.configs.hyperseg import HyperSegConfig
        from vlseg_cli.models.hyperseg import HyperSeg
        from vlseg_cli.models.losses.weights import read_losses
        from vlseg_cli.models.trainables.hyperseg import HyperSegLosses, TrainableHyperSeg
        from vlseg_cli.prompts.world import world_tokenizer
        from vlseg_cli.worlds.categories import NAMES, STUFF

        tokenizer = world_tokenizer()
        rows = {"vocabulary": len(tokenizer), "head_rows": len(tokenizer)}
        sized = HyperSegConfig.from_dict({**config, **rows})
        weights = read_losses(HyperSegLosses, losses)
        return TrainableHyperSeg(HyperSeg(sized), tokenizer, NAMES, STUFF, weights)
