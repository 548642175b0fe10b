"""The torch half of ``segmenter.py``: a network on a device runs the rows and generates text."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vlseg_cli.models.mask2former.modeling import MaskOutput, generate_text
from vlseg_cli.models.mask2former.segmenter import EncodedFrames, PromptedSegmenter, Row
from vlseg_cli.schema import Prediction, PromptRequest
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import TokenSequence
from vlseg_cli.text.tokenizer import Tokenizer


class TorchPromptedSegmenter(PromptedSegmenter):
    """See ``PromptedSegmenter``."""

    def __init__(
        self,
        name: str,
        model: Any,
        tokenizer: Tokenizer,
        categories: Sequence[str],
        stuff: Sequence[bool],
        device: str = "cpu",
    ) -> None:
        """model: a ``MaskModel``."""
        super().__init__(name, model.config, tokenizer, categories, stuff)
        self.model, self.device = model.eval().to(device), torch.device(device)

    @torch.inference_mode()
    def predict(
        self, encoded: EncodedFrames, requests: Sequence[PromptRequest]
    ) -> list[Prediction]:
        """See ``PromptedSegmenter``."""
        return super().predict(encoded, requests)

    def answer(self, encoded: EncodedFrames, frame: int, question: TokenSequence) -> str:
        """See ``PromptedSegmenter``."""
        prefix = self.model.encode_prefix(encoded.features, question)
        ended = self.tokenizer.has_ended
        return self.tokenizer.text(generate_text(self.model, prefix, frame, question, ended))

    def region_embeddings(
        self, encoded: EncodedFrames, image_index: Tensor, regions: Tensor
    ) -> Tensor:
        """Inputs of the language model for regions (R, S, S) of images (R,): (R, D)."""
        regions = regions.to(self.device)
        pooled = self.model.region_features(encoded.features, image_index, regions)
        embeddings: Tensor = self.model.embed_regions(pooled)
        return embeddings

    def run(
        self, encoded: EncodedFrames, rows: Sequence[Row], kind: ConditionKind
    ) -> tuple[Tensor, Tensor]:
        """See ``PromptedSegmenter``."""
        image_index = torch.tensor([row.request.frame for row in rows], device=self.device)
        masks, embeddings = [row.regions for row in rows if row.regions is not None], None
        if masks:
            counts = torch.tensor([len(each) for each in masks], device=self.device)
            regions = torch.cat([torch.from_numpy(each) for each in masks])
            owner = image_index.repeat_interleave(counts)
            embeddings = self.region_embeddings(encoded, owner, regions)
        sequences = [row.sequence for row in rows]
        output: MaskOutput = self.model(encoded.features, sequences, image_index, kind, embeddings)
        return output.scores[-1], output.pred_masks[-1]
