"""HRSeg for inference: frames and text prompts in, unions of proposals on each frame's grid out."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.base import check_finite
from vlseg_cli.models.hrseg.config import OWN_SAM
from vlseg_cli.models.hrseg.image_processing import fit_llava, fit_views, soft_masks
from vlseg_cli.models.hrseg.modeling import HRSeg, HRSegFeatures, HRSegMaskOutput, PerceptionOutput
from vlseg_cli.models.hrseg.postprocessing import ProposalScores, build_prediction
from vlseg_cli.models.hrseg.prompts import HRSegPrompts
from vlseg_cli.models.proposals.base import OpenProposer, ProposalOptions, Proposer
from vlseg_cli.models.proposals.cache import FeatureCache
from vlseg_cli.models.proposals.sam import open_sam_proposer
from vlseg_cli.schema import (
    Expression,
    Frame,
    Prediction,
    PromptRequest,
    Question,
    Task,
    UsageError,
)
from vlseg_cli.text.sequence import TokenSequence
from vlseg_cli.text.tokenizer import Tokenizer

_Key = tuple[int, int]  # index of the frame, identity of the prompt
_BATCH = 32  # prompts


@dataclass(frozen=True, slots=True, eq=False)
class HRSegEncodedFrames:
    """Frames, the proposals of each (K, h, w), features, and the seconds that step 1 took."""

    frames: tuple[Frame, ...]
    proposals: tuple[NDArray[np.bool_], ...]
    features: HRSegFeatures
    seconds: float


class HRSegSegmenter:
    """See ``Segmenter``. Text prompts only.

    digest: of the weights; the key of cached features.
    """

    tasks = frozenset((Task.REFER, Task.REASON))
    categories: tuple[str, ...] = ()
    stuff: tuple[bool, ...] = ()

    def __init__(
        self, name: str, model: HRSeg, tokenizer: Tokenizer, digest: str, device: str = "cpu"
    ) -> None:
        self.name, self.digest = name, digest
        self.model, self.device = model.eval().to(device), torch.device(device)
        self.tokenizer, self.positions = tokenizer, model.config.positions
        self.prompts = HRSegPrompts(tokenizer, model.config.prompt_style)

    def choose_proposals(self, options: ProposalOptions, open_proposer: OpenProposer) -> None:
        """See ``TakesProposals``; to be called before the first frame is encoded."""
        self._options, self._open_proposer = options, open_proposer
        self._cache = FeatureCache(options.cache)
        self.__dict__.pop("proposer", None)

    @cached_property
    def proposer(self) -> Proposer:
        """The source that the user named, else the one that the model was trained with."""
        source = self._options.source or self.model.config.proposals
        engine, device, note = self._options.engine, str(self.device), self._options.note
        if source != OWN_SAM:
            return self._open_proposer(source, device, engine, note)
        if self.model.config.proposals != OWN_SAM:
            raise UsageError(f"{self.name} has no SAM of its own: give --proposals another name")
        own = lambda: self.model.sam  # noqa: E731
        return open_sam_proposer(self.name, self.digest, engine, device, own, note)

    @torch.inference_mode()
    def encode(self, frames: Sequence[Frame]) -> HRSegEncodedFrames:
        """Step 1 for a batch of frames of any sizes."""
        start, config = time.perf_counter(), self.model.config
        proposals = tuple(
            self._cache.proposals(frame, self.proposer).largest(config.max_proposals)
            for frame in frames
        )
        perception = self._perception(frames)
        soft = [soft_masks(masks, config.mask_size).to(self.device) for masks in proposals]
        images = fit_llava(frames, config)
        pixels = images.pixels.to(self.device, perception.overview.dtype)
        features = self.model.encode_image(pixels, images.sizes, perception, soft)
        return HRSegEncodedFrames(tuple(frames), proposals, features, time.perf_counter() - start)

    def _perception(self, frames: Sequence[Frame]) -> PerceptionOutput:
        """DINOv2's features, from the cache where they are kept."""
        config = self.model.config
        key = f"{self.digest} {config.view} {config.windows}"
        found = [
            self._cache.tensors(frame, key, lambda frame=frame: self._compute(frame))  # type: ignore[misc]
            for frame in frames
        ]
        together = {n: torch.cat([one[n].to(self.device) for one in found]) for n in found[0]}
        return PerceptionOutput(together["overview"], together.get("regions"))

    def _compute(self, frame: Frame) -> dict[str, Tensor]:
        """Features of one frame by name."""
        config = self.model.config
        views = fit_views(frame, config.view, config.windows)
        like = self.model.dino_projection.weight
        perception = self.model.perception(views[None].to(like))
        return {name: one for name, one in perception._asdict().items() if one is not None}

    @torch.inference_mode()
    def predict(
        self, encoded: HRSegEncodedFrames, requests: Sequence[PromptRequest]
    ) -> list[Prediction]:
        """Steps 2 to 4. Raises NotFiniteError, and UsageError for prompts that are no text."""
        start = time.perf_counter()
        scores = self._scores(encoded, {_key(request): request for request in requests})
        for request in requests:
            check_finite(encoded.frames[request.frame], *scores[_key(request)])
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start}
        return [
            build_prediction(
                request,
                encoded.frames[request.frame],
                encoded.proposals[request.frame],
                scores[_key(request)],
                self.model.config.selection_rule(),
                seconds,
            )
            for request in requests
        ]

    def _scores(
        self, encoded: HRSegEncodedFrames, requests: Mapping[_Key, PromptRequest]
    ) -> dict[_Key, ProposalScores]:
        """Both scores of each proposal, for each different prompt."""
        rows = [(key, one.frame, self._sequence(one)) for key, one in requests.items()]
        scores: dict[_Key, ProposalScores] = {}
        for first in range(0, len(rows), _BATCH):
            keys, frames, sequences = zip(*rows[first : first + _BATCH], strict=True)
            image_index = torch.tensor(frames, device=self.device)
            output: HRSegMaskOutput = self.model(encoded.features, sequences, image_index)
            for row, key in enumerate(keys):
                present = output.present[row]
                scores[key] = ProposalScores(
                    output.similarity[row][present].float().cpu(),
                    output.iop[row][present].float().cpu(),
                )
        return scores

    def _sequence(self, request: PromptRequest) -> TokenSequence:
        match request.prompt:
            case Question(text=text):
                return self.prompts.question(text)
            case Expression(text=text):
                return self.prompts.phrase(text)
        raise UsageError(
            f"{self.name} answers sentences alone: use refer or reason, or a model that knows names"
            " and regions."
        )


def _key(request: PromptRequest) -> _Key:
    """Requests with one key share one forward pass."""
    return request.frame, id(request.prompt)
