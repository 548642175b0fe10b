"""HyperSeg for inference: frames and prompts in, predictions and text out."""

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vlseg_cli.models.hyperseg.modeling import HyperSeg
from vlseg_cli.models.hyperseg.prompts import HyperSegPrompts, hyperseg_prompts
from vlseg_cli.models.mask2former.image_processing import fit_regions, squash_pixels, squash_regions
from vlseg_cli.models.mask2former.modeling import MaskOutput, generate_text
from vlseg_cli.models.mask2former.segmenter import EncodedFrames, Key, PromptedSegmenter, Row
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    PromptRequest,
    Question,
    Regions,
    Task,
    UsageError,
)
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.tokenizer import Tokenizer


class HyperSegSegmenter(PromptedSegmenter):
    """See ``PromptedSegmenter``."""

    def __init__(
        self,
        name: str,
        model: HyperSeg,
        tokenizer: Tokenizer,
        categories: Sequence[str],
        stuff: Sequence[bool],
        device: str = "cpu",
    ) -> None:
        super().__init__(name, model, tokenizer, categories, stuff, device)
        self.model = model
        self.prompts: HyperSegPrompts = hyperseg_prompts(tokenizer, model.config)

    def encode(self, frames: Sequence[Frame]) -> EncodedFrames:
        """Step 1 for a batch of frames of any sizes."""
        return self.encode_frames(frames)

    @torch.inference_mode()
    def encode_frames(
        self, frames: Sequence[Frame], carried: Tensor | None = None
    ) -> EncodedFrames:
        """The same; carried: ``HyperSeg.carry`` of the frames before, in a video."""
        start, config = time.perf_counter(), self.model.config
        pixels, geometries = self.preprocess(frames, config.image_size)
        squashed = np.stack([squash_pixels(frame, config.clip_size) for frame in frames])
        clip = torch.from_numpy(squashed).to(self.device)
        features = self.model.encode_image(pixels, clip, carried)
        return EncodedFrames(tuple(frames), geometries, features, time.perf_counter() - start)

    def generate_answer(self, encoded: EncodedFrames, request: PromptRequest, text: str) -> str:
        """See ``PromptedSegmenter``: masks come without text, in one pass."""
        if request.task is not Task.CHAT:
            return ""
        question = self.prompts.chat(text)
        prefix = self.model.encode_prefix(encoded.features, question)
        ended = self.tokenizer.has_ended
        return self.tokenizer.text(
            generate_text(self.model, prefix, request.frame, question, ended)
        )

    def run(self, encoded: EncodedFrames, rows: Sequence[Row], kind: ConditionKind) -> MaskOutput:
        """Steps 2 to 4 for rows of one kind."""
        image_index = torch.tensor([row.request.frame for row in rows], device=self.device)
        embeddings = [
            self.region_embeddings(encoded, row.request.frame, row.regions)
            for row in rows
            if row.regions is not None
        ]
        output: MaskOutput = self.model(
            encoded.features,
            [row.sequence for row in rows],
            image_index,
            kind,
            torch.cat(embeddings) if embeddings else None,
        )
        return output

    def rows(
        self, encoded: EncodedFrames, key: Key, request: PromptRequest, video: bool = False
    ) -> list[Row]:
        """One sequence, or one for each region where each has its own prompt."""
        match request.prompt:
            case Categories(names=()):
                raise UsageError("There is no category to look for: give at least one name.")
            case Categories(names=names):
                present = self._entities(encoded, request, names, video)
                sequence = self.prompts.categories(names, video, present)
                return [Row(key, request, sequence, text=", ".join(present))]
            case Regions(regions=()):
                raise UsageError("There is no region to segment: give at least one.")
            case Regions(regions=regions):
                fitted = self.fit_regions([region.mask for region in regions])
                if self.model.config.regions_together:
                    return [Row(key, request, self.prompts.regions(len(fitted), video), fitted)]
                return [
                    Row(key, request, self.prompts.regions(1, video), one[None]) for one in fitted
                ]
            case Expression(text=text) | Question(text=text):
                reasoning = isinstance(request.prompt, Question)
                return [Row(key, request, self.prompts.sentence(text, reasoning, video))]

    def fit_regions(
        self, masks: Sequence[np.ndarray[tuple[int, int], np.dtype[np.bool_]]]
    ) -> Tensor:
        """Regions (R) of a frame's size on the grid that they are pooled on, (R, S, S) bool."""
        config, stacked = self.model.config, np.stack(masks)
        if config.region_source == "tokens":
            return torch.from_numpy(squash_regions(stacked, config.clip_size))
        return torch.from_numpy(fit_regions(stacked, config.image_size))

    def region_embeddings(self, encoded: EncodedFrames, frame: int, regions: Tensor) -> Tensor:
        """Inputs of the language model for regions of one frame: (R, S, S) -> (R, D)."""
        image_index = torch.full((len(regions),), frame, device=self.device)
        pooled = self.model.region_features(encoded.features, image_index, regions.to(self.device))
        return self.model.embed_regions(pooled)

    def _entities(
        self, encoded: EncodedFrames, request: PromptRequest, names: Sequence[str], video: bool
    ) -> list[str]:
        """The names of what is present as the model generates them, if it was trained to."""
        if not self.model.config.recognize_entities:
            return []
        question = self.prompts.category_question(names, video)
        longest = len(self.prompts.entities(names))
        prefix = self.model.encode_prefix(encoded.features, question)
        ended = self.prompts.entities_end
        generated = generate_text(self.model, prefix, request.frame, question, ended, longest)
        return self.prompts.entities_of(generated)
