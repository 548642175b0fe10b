"""HyperSeg's entry in the registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlseg_cli.models.official import OfficialFolder, holds_tensor, model_type
from vlseg_cli.models.system import System
from vlseg_cli.models.training import Trainable
from vlseg_cli.text.tokenizer import Tokenizer


class HyperSegSystem(System):
    """See ``System``."""

    def is_official(self, directory: Path) -> bool:
        """By its config.json, and by its tensors where PSALM's may be the same."""
        from vlseg_cli.models.hyperseg.conversion import LLAVA, MIPHA
        from vlseg_cli.models.mask2former.conversion import PERCEIVER

        kind = model_type(directory)
        return kind == MIPHA or (kind == LLAVA and holds_tensor(directory, PERCEIVER))

    def open_official(self, directory: Path) -> OfficialFolder:
        """See ``System``."""
        from vlseg_cli.models.hyperseg.conversion import open_official_hyperseg

        return open_official_hyperseg(directory)

    def classes(self) -> tuple[type[Any], type[Any], type[Any]]:
        """See ``System``."""
        from vlseg_cli.models.hyperseg.config import HyperSegConfig
        from vlseg_cli.models.hyperseg.modeling import HyperSeg
        from vlseg_cli.models.hyperseg.video import HyperSegVideoSegmenter

        return HyperSegConfig, HyperSeg, HyperSegVideoSegmenter

    def training_classes(self) -> tuple[type[Any], type[Trainable]]:
        """See ``System``."""
        from vlseg_cli.models.hyperseg.training import HyperSegLosses, TrainableHyperSeg

        return HyperSegLosses, TrainableHyperSeg

    def sizes(self, config: Mapping[str, Any], tokenizer: Tokenizer) -> dict[str, Any]:
        """See ``System``."""
        return {**super().sizes(config, tokenizer), "head_rows": len(tokenizer)}
