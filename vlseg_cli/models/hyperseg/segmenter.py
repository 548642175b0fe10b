"""HyperSeg for inference: frames and prompts in, predictions and text out."""

import time
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.hyperseg.modeling import HyperSeg
from vlseg_cli.models.hyperseg.prompts import HyperSegPrompts, hyperseg_prompts
from vlseg_cli.models.mask2former.image_processing import fit_frames, squash_pixels, squash_regions
from vlseg_cli.models.mask2former.modeling import generate_text
from vlseg_cli.models.mask2former.segmenter import EncodedFrames
from vlseg_cli.models.mask2former.torch_segmenter import TorchPromptedSegmenter
from vlseg_cli.schema import Categories, Frame, Prompt, PromptRequest, Question, Regions, Task
from vlseg_cli.text.sequence import TokenSequence


class HyperSegSegmenter(TorchPromptedSegmenter):
    """See ``PromptedSegmenter``; masks come without text, in one pass."""

    model: HyperSeg
    prompts: HyperSegPrompts
    text_tasks = (Task.CHAT,)

    def build_prompts(self) -> HyperSegPrompts:
        """See ``PromptedSegmenter``."""
        return hyperseg_prompts(self.tokenizer, self.config)

    def encode(self, frames: Sequence[Frame]) -> EncodedFrames:
        """Step 1 for a batch of frames of any sizes."""
        return self.encode_frames(frames)

    @torch.inference_mode()
    def encode_frames(
        self, frames: Sequence[Frame], carried: Tensor | None = None
    ) -> EncodedFrames:
        """The same; carried: ``HyperSeg.carry`` of the frames before, in a video."""
        start, config = time.perf_counter(), self.model.config
        pixels, geometries = fit_frames(frames, config.image_size)
        squashed = np.stack([squash_pixels(frame, config.clip_size) for frame in frames])
        swin, clip = (torch.from_numpy(each).to(self.device) for each in (pixels, squashed))
        features = self.model.encode_image(swin, clip, carried)
        return EncodedFrames(tuple(frames), geometries, features, time.perf_counter() - start)

    def sequence(
        self, encoded: EncodedFrames, request: PromptRequest, prompt: Prompt, video: bool
    ) -> tuple[TokenSequence, str]:
        """See ``PromptedSegmenter``."""
        match prompt:
            case Categories(names=names):
                present = self._entities(encoded, request, names, video)
                return self.prompts.categories(names, video, present), ", ".join(present)
            case Regions(regions=regions):
                return self.prompts.regions(len(regions), video), ""
            case sentence:
                reasoning = isinstance(sentence, Question)
                return self.prompts.sentence(sentence.text, reasoning, video), ""

    def fit_regions(self, masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """See ``PromptedSegmenter``; on SigLIP's grid where regions are pooled from tokens."""
        if self.model.config.region_source != "tokens":
            return super().fit_regions(masks)
        return squash_regions(np.stack(masks), self.model.config.clip_size)

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
