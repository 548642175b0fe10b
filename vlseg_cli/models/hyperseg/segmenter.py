"""HyperSeg for use: frames and prompts in, predictions and words out."""

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vlseg_cli.models.hyperseg.modeling import HyperSeg
from vlseg_cli.models.hyperseg.prompts import HyperSegPrompts, hyperseg_prompts
from vlseg_cli.models.mask2former.image_processing import fit_regions, squash_pixels, squash_regions
from vlseg_cli.models.mask2former.modeling import MaskOutput, generate_text
from vlseg_cli.models.mask2former.postprocessing import Thresholds
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
    """See ``Segmenter``. Deterministic: the same frames and prompts, the same answer."""

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

    @property
    def thresholds(self) -> Thresholds:
        """Those of its configuration."""
        return self.model.config

    def encode(self, frames: Sequence[Frame]) -> EncodedFrames:
        """Step 1 for a batch of frames of any sizes."""
        return self.encode_frames(frames)

    @torch.inference_mode()
    def encode_frames(
        self, frames: Sequence[Frame], carried: Tensor | None = None
    ) -> EncodedFrames:
        """Both eyes on a batch of frames; carried: of the frames before, in a video."""
        start, config = time.perf_counter(), self.model.config
        pixels, geometries = self.fit(frames, config.image_size)
        squashed = np.stack([squash_pixels(frame, config.clip_size) for frame in frames])
        clip = torch.from_numpy(squashed).to(self.device)
        seen = self.model.encode_image(pixels, clip, carried)
        return EncodedFrames(tuple(frames), geometries, seen, time.perf_counter() - start)

    def words(self, encoded: EncodedFrames, ask: PromptRequest, text: str) -> str:
        """See ``PromptedSegmenter``: masks come without, in one pass."""
        if ask.task is not Task.CHAT:
            return ""
        question = self.prompts.chat(text)
        prefix = self.model.encode_prefix(encoded.features, question)
        said = generate_text(self.model, prefix, ask.frame, question, self.tokenizer.has_ended)
        return self.tokenizer.text(said)

    def run(self, encoded: EncodedFrames, rows: Sequence[Row], kind: ConditionKind) -> MaskOutput:
        """Steps 2 to 4 for rows of one kind."""
        pictures = torch.tensor([row.ask.frame for row in rows], device=self.device)
        vectors = [
            self.embed_regions(encoded, row.ask.frame, row.regions)
            for row in rows
            if row.regions is not None
        ]
        regions = torch.cat(vectors) if vectors else None
        sequences = [row.sequence for row in rows]
        answered: MaskOutput = self.model(encoded.features, sequences, pictures, kind, regions)
        return answered

    def rows(
        self, encoded: EncodedFrames, key: Key, ask: PromptRequest, video: bool = False
    ) -> list[Row]:
        """One sequence, or one for each region where they are asked apart."""
        match ask.prompt:
            case Categories(names=()):
                raise UsageError("There is no category to look for: give at least one name.")
            case Categories(names=names):
                seen = self._entities(encoded, ask, names, video)
                sequence = self.prompts.categories(names, video, seen)
                return [Row(key, ask, sequence, text=", ".join(seen))]
            case Regions(regions=()):
                raise UsageError("There is no region to answer for: give at least one.")
            case Regions(regions=regions):
                placed = self.place([region.mask for region in regions])
                if self.model.config.regions_together:
                    return [Row(key, ask, self.prompts.regions(len(placed), video), placed)]
                return [Row(key, ask, self.prompts.regions(1, video), one[None]) for one in placed]
            case Expression(text=text) | Question(text=text):
                reasoning = isinstance(ask.prompt, Question)
                return [Row(key, ask, self.prompts.sentence(text, reasoning, video))]

    def place(self, masks: Sequence[np.ndarray[tuple[int, int], np.dtype[np.bool_]]]) -> Tensor:
        """Regions (R) of a frame's size on the grid that they are pooled on, (R, S, S) bool."""
        config, stacked = self.model.config, np.stack(masks)
        if config.region_source == "tokens":
            return torch.from_numpy(squash_regions(stacked, config.clip_size))
        return torch.from_numpy(fit_regions(stacked, config.image_size))

    def embed_regions(self, encoded: EncodedFrames, frame: int, placed: Tensor) -> Tensor:
        """What the language model reads of regions of one frame: (R, S, S) -> (R, D)."""
        owner = torch.full((len(placed),), frame, device=self.device)
        return self.model.embed_regions(encoded.features, owner, placed.to(self.device))

    def _entities(
        self, encoded: EncodedFrames, ask: PromptRequest, names: Sequence[str], video: bool
    ) -> list[str]:
        """The names that the model says it sees, if it was taught to say them first."""
        if not self.model.config.recognize_entities:
            return []
        question = self.prompts.category_question(names, video)
        longest = len(self.prompts.entities(names))
        prefix, ended = (
            self.model.encode_prefix(encoded.features, question),
            self.prompts.entities_end,
        )
        said = generate_text(self.model, prefix, ask.frame, question, ended, longest)
        return self.prompts.entities_of(said)
