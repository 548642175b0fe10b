"""HyperSeg's entry in the registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlseg_cli.models.base import Segmenter
from vlseg_cli.models.checkpoint import ModelFolder
from vlseg_cli.models.official import OfficialFolder, holds_tensor, model_type
from vlseg_cli.schema.sample import TrainingVocabulary

if TYPE_CHECKING:
    from vlseg_cli.models.training import Trainable

_LANGUAGE = ("language", "lm_head")


class HyperSegSystem:
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

    def segmenter(self, folder: ModelFolder, name: str, device: str) -> Segmenter:
        """See ``System``."""
        from vlseg_cli.models.hyperseg.config import HyperSegConfig
        from vlseg_cli.models.hyperseg.modeling import HyperSeg
        from vlseg_cli.models.hyperseg.video import HyperSegVideoSegmenter

        model = folder.fill(HyperSeg, HyperSegConfig.from_dict(folder.sizes), device, _LANGUAGE)
        return HyperSegVideoSegmenter(
            name, model, folder.tokenizer, folder.names, folder.stuff, device
        )

    def build(
        self,
        vocabulary: TrainingVocabulary,
        config: Mapping[str, Any],
        losses: Mapping[str, Any],
    ) -> "Trainable":
        """See ``System``."""
        from vlseg_cli.models.hyperseg.config import HyperSegConfig
        from vlseg_cli.models.hyperseg.modeling import HyperSeg
        from vlseg_cli.models.hyperseg.training import HyperSegLosses, TrainableHyperSeg
        from vlseg_cli.models.training import read_losses
        from vlseg_cli.text.tokenizer import miniature_tokenizer

        tokenizer = miniature_tokenizer(vocabulary.words)
        rows = {"vocabulary": len(tokenizer), "head_rows": len(tokenizer)}
        sized = HyperSegConfig.from_dict({**config, **rows})
        weights = read_losses(HyperSegLosses, losses)
        return TrainableHyperSeg(HyperSeg(sized), tokenizer, vocabulary, weights)
