"""PSALM for use: frames and prompts in, predictions on each frame's own grid out."""

import time
from collections.abc import Sequence

import numpy as np
import torch

from vlseg_cli.models.mask2former.image_processing import fit_regions
from vlseg_cli.models.mask2former.modeling import MaskOutput, generate_text
from vlseg_cli.models.mask2former.postprocessing import Thresholds
from vlseg_cli.models.mask2former.segmenter import EncodedFrames, Key, PromptedSegmenter, Row
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.models.psalm.prompts import PSALMPrompts
from vlseg_cli.schema import Categories, Frame, PromptRequest, Regions, UsageError
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.tokenizer import Tokenizer


class PSALMSegmenter(PromptedSegmenter):
    """See ``Segmenter``. Deterministic: the same frames and prompts, the same answer."""

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

    @property
    def thresholds(self) -> Thresholds:
        """Those of its configuration."""
        return self.model.config

    @torch.inference_mode()
    def encode(self, frames: Sequence[Frame]) -> EncodedFrames:
        """Step 1 for a batch of frames of any sizes."""
        start = time.perf_counter()
        pixels, geometries = self.fit(frames, self.model.config.image_size)
        seen = self.model.encode_image(pixels)
        return EncodedFrames(tuple(frames), geometries, seen, time.perf_counter() - start)

    def words(self, encoded: EncodedFrames, ask: PromptRequest, text: str) -> str:
        """See ``PromptedSegmenter``."""
        question = self.prompts.question(text)
        prefix = self.model.encode_prefix(encoded.features, question.prefix)
        said = generate_text(self.model, prefix, ask.frame, question, self.tokenizer.has_ended)
        return self.tokenizer.text(said)

    def run(self, encoded: EncodedFrames, rows: Sequence[Row], kind: ConditionKind) -> MaskOutput:
        """Steps 2 to 4 for rows of one kind."""
        pictures = torch.tensor([row.ask.frame for row in rows], device=self.device)
        masks = [row.regions for row in rows if row.regions is not None]
        regions = torch.cat(masks).to(self.device) if masks else None
        sequences = [row.sequence for row in rows]
        answered: MaskOutput = self.model(encoded.features, sequences, pictures, kind, regions)
        return answered

    def rows(self, encoded: EncodedFrames, key: Key, ask: PromptRequest) -> list[Row]:  # noqa: ARG002
        """One sequence, or one for each region where they are asked apart."""
        match ask.prompt:
            case Categories(names=()):
                raise UsageError("There is no category to look for: give at least one name.")
            case Categories(names=names):
                return [Row(key, ask, self.prompts.categories(names))]
            case Regions(regions=()):
                raise UsageError("There is no region to answer for: give at least one.")
            case Regions(regions=regions):
                masks = np.stack([region.mask for region in regions])
                placed = torch.from_numpy(fit_regions(masks, self.model.config.image_size))
                if self.model.config.regions_together:
                    return [Row(key, ask, self.prompts.regions(len(placed)), placed)]
                return [Row(key, ask, self.prompts.regions(1), one[None]) for one in placed]
            case sentence:
                return [Row(key, ask, self.prompts.sentence(sentence.text))]
