"""HRSeg for use: frames and sentences in, unions of proposals on each frame's own grid out."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.hrseg.config import OWN_SAM
from vlseg_cli.models.hrseg.image_processing import fit_llava, fit_views, soft_masks
from vlseg_cli.models.hrseg.modeling import HRSeg, HRSegFeatures, HRSegMaskOutput, PerceptionOutput
from vlseg_cli.models.hrseg.postprocessing import ProposalScores, describe
from vlseg_cli.models.hrseg.prompts import HRSegPrompts
from vlseg_cli.models.proposals.base import OpenProposer, ProposalOptions, Proposer
from vlseg_cli.models.proposals.cache import FeatureCache
from vlseg_cli.models.proposals.sam import open_sam_proposer
from vlseg_cli.schema import (
    Expression,
    Frame,
    NotFiniteError,
    Prediction,
    PromptRequest,
    Question,
    Task,
    UsageError,
)
from vlseg_cli.text.sequence import TokenSequence
from vlseg_cli.text.tokenizer import Tokenizer

_Key = tuple[int, int]  # number of the frame, identity of the prompt
_ROWS = 32  # prompts answered in one go


@dataclass(frozen=True, slots=True, eq=False)
class HRSegEncodedFrames:
    """Frames, what was proposed for each (K, h, w), what the model saw; seconds spent looking."""

    frames: tuple[Frame, ...]
    proposals: tuple[NDArray[np.bool_], ...]
    seen: HRSegFeatures
    seconds: float


class HRSegSegmenter:
    """See ``Segmenter``. It answers sentences alone, and chooses among masks that are proposed.

    digest: changes with the weights; what is kept on disk is found by it.
    """

    tasks = frozenset((Task.REFER, Task.REASON))
    categories: tuple[str, ...] = ()
    stuff: tuple[bool, ...] = ()

    def __init__(
        self, name: str, model: HRSeg, tokenizer: Tokenizer, digest: str, device: str = "cpu"
    ) -> None:
        self.name, self.digest = name, digest
        self.model, self.device = model.eval().to(device), torch.device(device)
        self.prompts = HRSegPrompts(tokenizer, model.config.prompt_style)

    def choose_proposals(self, options: ProposalOptions, open_proposer: OpenProposer) -> None:
        """See ``TakesProposals``; to be called before the first frame is encoded."""
        self._options, self._open_proposer = options, open_proposer
        self._cache = FeatureCache(options.cache)
        self.__dict__.pop("proposer", None)

    @cached_property
    def proposer(self) -> Proposer:
        """Who proposes: what the user named, else what the model was trained with."""
        source = self._options.source or self.model.config.proposals
        engine, device = self._options.engine, str(self.device)
        if source != OWN_SAM:
            return self._open_proposer(source, device, engine)
        if self.model.config.proposals != OWN_SAM:
            raise UsageError(f"{self.name} has no SAM of its own: give --proposals another name")
        return open_sam_proposer(self.name, self.digest, engine, device, lambda: self.model.sam)

    def unknown_words(self, text: str) -> list[str]:
        """Words of a prompt that its tokenizer cannot tell from one another."""
        return self.prompts.tokenizer.unknown_words(text)

    @torch.inference_mode()
    def encode(self, frames: Sequence[Frame]) -> HRSegEncodedFrames:
        """Step 1 for a batch of frames of any sizes."""
        start, config = time.perf_counter(), self.model.config
        proposals = tuple(
            self._cache.proposals(frame, self.proposer).largest(config.most_proposals)
            for frame in frames
        )
        perceived = self._perceive(frames)
        soft = [soft_masks(masks, config.mask_size).to(self.device) for masks in proposals]
        pictures = fit_llava(frames, config)
        pixels = pictures.pixels.to(self.device, perceived.overview.dtype)
        seen = self.model.encode_image(pixels, pictures.sizes, perceived, soft)
        return HRSegEncodedFrames(tuple(frames), proposals, seen, time.perf_counter() - start)

    def _perceive(self, frames: Sequence[Frame]) -> PerceptionOutput:
        """DINOv2's features, from the disk where they were kept."""
        config = self.model.config
        key = f"{self.digest} {config.view} {config.windows}"
        found = [
            self._cache.tensors(frame, key, lambda frame=frame: self._look(frame))  # type: ignore[misc]
            for frame in frames
        ]
        together = {n: torch.cat([one[n].to(self.device) for one in found]) for n in found[0]}
        return PerceptionOutput(together["overview"], together.get("regions"))

    def _look(self, frame: Frame) -> dict[str, Tensor]:
        """Features of one frame by name."""
        config = self.model.config
        views = fit_views(frame, config.view, config.windows)
        like = self.model.dino_projection.weight
        perceived = self.model.perceive(views[None].to(like))
        named = perceived._asdict().items()
        return {name: tensor for name, tensor in named if tensor is not None}

    @torch.inference_mode()
    def predict(
        self, encoded: HRSegEncodedFrames, requests: Sequence[PromptRequest]
    ) -> list[Prediction]:
        """Steps 2 to 4. Raises NotFiniteError, and UsageError for what is no sentence."""
        start = time.perf_counter()
        found = self._read_and_answer(encoded, {_key(ask): ask for ask in requests})
        for ask in requests:
            _check_finite(found[_key(ask)], encoded.frames[ask.frame])
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start}
        return [
            describe(
                ask,
                encoded.frames[ask.frame],
                encoded.proposals[ask.frame],
                found[_key(ask)],
                self.model.config.chosen,
                seconds,
            )
            for ask in requests
        ]

    def _read_and_answer(
        self, encoded: HRSegEncodedFrames, requests: Mapping[_Key, PromptRequest]
    ) -> dict[_Key, ProposalScores]:
        """Both scores of each proposal, for each different prompt."""
        rows = [(key, ask.frame, self._sequence(ask)) for key, ask in requests.items()]
        scores: dict[_Key, ProposalScores] = {}
        for first in range(0, len(rows), _ROWS):
            keys, frames, sequences = zip(*rows[first : first + _ROWS], strict=True)
            pictures = torch.tensor(frames, device=self.device)
            answered: HRSegMaskOutput = self.model(encoded.seen, sequences, pictures)
            for place, key in enumerate(keys):
                kept = answered.present[place]
                scores[key] = ProposalScores(
                    answered.similarity[place][kept].float().cpu(),
                    answered.iop[place][kept].float().cpu(),
                )
        return scores

    def _sequence(self, ask: PromptRequest) -> TokenSequence:
        match ask.prompt:
            case Question(text=text):
                return self.prompts.question(text)
            case Expression(text=text):
                return self.prompts.phrase(text)
        raise UsageError(
            f"{self.name} answers sentences alone: use refer or reason, or a model that knows names"
            " and regions."
        )


def _key(ask: PromptRequest) -> _Key:
    """Asks with one key have one answer, described in different ways by different tasks."""
    return ask.frame, id(ask.prompt)


def _check_finite(scores: ProposalScores, frame: Frame) -> None:
    """Scores made of NaN would choose nothing; half precision on large inputs makes them."""
    if not all(bool(tensor.isfinite().all()) for tensor in scores):
        raise NotFiniteError(
            f"{frame.source}: the model's numbers are not finite, so there is no answer; try"
            " --device cpu, or other weights."
        )
