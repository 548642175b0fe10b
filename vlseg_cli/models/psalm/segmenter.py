"""PSALM for inference: frames and prompts in, predictions on each frame's own grid out."""

import time
from collections.abc import Sequence

import torch

from vlseg_cli.models.mask2former.image_processing import fit_frames
from vlseg_cli.models.mask2former.segmenter import EncodedFrames
from vlseg_cli.models.mask2former.torch_segmenter import TorchPromptedSegmenter
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.models.psalm.prompts import PSALMPrompts, psalm_prompts
from vlseg_cli.schema import Frame


class PSALMSegmenter(TorchPromptedSegmenter):
    """See ``PromptedSegmenter``."""

    model: PSALM
    prompts: PSALMPrompts

    def build_prompts(self) -> PSALMPrompts:
        """See ``PromptedSegmenter``."""
        return psalm_prompts(self.tokenizer, self.config)

    @torch.inference_mode()
    def encode(self, frames: Sequence[Frame]) -> EncodedFrames:
        """Step 1 for a batch of frames of any sizes."""
        start = time.perf_counter()
        pixels, geometries = fit_frames(frames, self.model.config.image_size)
        features = self.model.encode_image(torch.from_numpy(pixels).to(self.device))
        return EncodedFrames(tuple(frames), geometries, features, time.perf_counter() - start)
