"""PSALM for inference: frames and prompts in, predictions on each frame's own grid out."""

import time
from collections.abc import Sequence

import numpy as np
import torch

from vlseg_cli.models.mask2former.image_processing import fit_regions
from vlseg_cli.models.mask2former.modeling import MaskOutput, generate_text
from vlseg_cli.models.mask2former.segmenter import EncodedFrames, Key, PromptedSegmenter, Row
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.models.psalm.prompts import PSALMPrompts
from vlseg_cli.schema import Categories, Frame, PromptRequest, Regions, UsageError
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.tokenizer import Tokenizer


class PSALMSegmenter(PromptedSegmenter):
    """See ``PromptedSegmenter``."""

    def __init__(
        self,
        name: str,
        model: PSALM,
        tokenizer: Tokenizer,
        categories: Sequence[str],
        stuff: Sequence[bool],
        device: str = "cpu",
    ) -> None:
        super().__init__(name, model, tokenizer, categories, stuff, device)
        self.model, config = model, model.config
        single = config.single_queries or config.queries
        self.prompts = PSALMPrompts(tokenizer, config.prompt_style, config.queries, single)

    @torch.inference_mode()
    def encode(self, frames: Sequence[Frame]) -> EncodedFrames:
        """Step 1 for a batch of frames of any sizes."""
        start = time.perf_counter()
        pixels, geometries = self.preprocess(frames, self.model.config.image_size)
        features = self.model.encode_image(pixels)
        return EncodedFrames(tuple(frames), geometries, features, time.perf_counter() - start)

    def generate_answer(self, encoded: EncodedFrames, request: PromptRequest, text: str) -> str:
        """See ``PromptedSegmenter``."""
        question = self.prompts.question(text)
        prefix = self.model.encode_prefix(encoded.features, question)
        ended = self.tokenizer.has_ended
        return self.tokenizer.text(
            generate_text(self.model, prefix, request.frame, question, ended)
        )

    def run(self, encoded: EncodedFrames, rows: Sequence[Row], kind: ConditionKind) -> MaskOutput:
        """Steps 2 to 4 for rows of one kind."""
        image_index = torch.tensor([row.request.frame for row in rows], device=self.device)
        embeddings = None
        masks = [row.regions for row in rows if row.regions is not None]
        if masks:
            counts = torch.tensor([len(each) for each in masks], device=self.device)
            owner, regions = image_index.repeat_interleave(counts), torch.cat(masks)
            pooled = self.model.region_features(encoded.features, owner, regions.to(self.device))
            embeddings = self.model.embed_regions(pooled)
        output: MaskOutput = self.model(
            encoded.features, [row.sequence for row in rows], image_index, kind, embeddings
        )
        return output

    def rows(self, encoded: EncodedFrames, key: Key, request: PromptRequest) -> list[Row]:  # noqa: ARG002
        """One sequence, or one for each region where each has its own prompt."""
        match request.prompt:
            case Categories(names=()):
                raise UsageError("There is no category to look for: give at least one name.")
            case Categories(names=names):
                return [Row(key, request, self.prompts.categories(names))]
            case Regions(regions=()):
                raise UsageError("There is no region to segment: give at least one.")
            case Regions(regions=regions):
                masks = np.stack([region.mask for region in regions])
                fitted = torch.from_numpy(fit_regions(masks, self.model.config.image_size))
                if self.model.config.regions_together:
                    return [Row(key, request, self.prompts.regions(len(fitted)), fitted)]
                return [Row(key, request, self.prompts.regions(1), one[None]) for one in fitted]
            case sentence:
                return [Row(key, request, self.prompts.sentence(sentence.text))]
