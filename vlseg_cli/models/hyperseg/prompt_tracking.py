"""One prompt through a video: what is asked of each frame, and what is remembered for the next.

Sentences need nothing but their conditions of the last frames; things of categories have
identities; regions have the looks that they are found by.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.base import SessionState
from vlseg_cli.models.hyperseg.segmenter import HyperSegSegmenter
from vlseg_cli.models.hyperseg.tracks import NamedTracker, match_regions
from vlseg_cli.models.mask2former.postprocessing import PromptOutput, build_prediction
from vlseg_cli.models.mask2former.segmenter import EncodedFrames, kind_of
from vlseg_cli.nn.postprocessing import mask_scores, resize_to_original
from vlseg_cli.nn.reid import InstanceEmbeddings
from vlseg_cli.nn.tracker import TrackerRules
from vlseg_cli.schema import (
    Categories,
    Prediction,
    PromptRequest,
    Regions,
    Segment,
    Task,
    UsageError,
    segment_from_mask,
)
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import TokenSequence

_FOLLOWED = (Task.VIS, Task.INSTANCE, Task.DETECT)
Asking = tuple[TokenSequence, Tensor | None, tuple[Tensor, ...]]


class TrackedOutput(NamedTuple):
    """What one row was answered. condition (K, d): before it was averaged."""

    part: PromptOutput
    identified: InstanceEmbeddings
    condition: Tensor


class PromptTracker:
    """The memory of one ask of a session."""

    def __init__(
        self, segmenter: HyperSegSegmenter, ask: PromptRequest, state: SessionState | None
    ) -> None:
        self.segmenter, self.ask, self.kind = segmenter, ask, kind_of(ask)
        self.past: list[tuple[Tensor, ...]] = []  # per row, conditions (K, d) of earlier frames
        self.vectors: Tensor | None = None  # (R, D), once the regions are drawn
        self.asked: Tensor | None = None  # those of the present frame, not yet remembered
        self.text = ""
        self.identities: NamedTracker | None = None
        state = state or {}
        if isinstance(ask.prompt, Categories) and ask.task in _FOLLOWED:
            config = segmenter.model.config
            rules = TrackerRules(
                new_score=config.track_score,
                first_score=config.track_score,
                forget_after=config.track_frames,
            )
            self.identities = NamedTracker(rules, state if "ids" in state else None)
        if "vectors" in state:
            self.vectors = torch.from_numpy(state["vectors"]).to(segmenter.device)
        while (name := f"past{len(self.past)}") in state:
            self.past.append(tuple(torch.from_numpy(state[name]).to(segmenter.device)))

    def rows(self, encoded: EncodedFrames) -> Iterator[Asking]:
        """What is asked of a frame; nothing before the frame in which regions are drawn."""
        if isinstance(self.ask.prompt, Regions):
            if self.vectors is None and encoded.frames[0].index < self.ask.frame:
                return
            self.asked = self._draw(encoded, self.ask.prompt)
        now = PromptRequest(0, self.ask.task, self.ask.prompt, self.ask.threshold, self.ask.many)
        rows = self.segmenter.rows(encoded, (0, 0), now, video=True)
        self.text = rows[0].text
        past = self.past or [()] * len(rows)
        first = 0
        for row, before in zip(rows, past, strict=True):
            count = 0 if row.regions is None else len(row.regions)
            vectors = None if self.asked is None else self.asked[first : first + count]
            first += count
            yield row.sequence, vectors, before

    def tell(
        self, encoded: EncodedFrames, answers: Sequence[TrackedOutput], seconds: dict[str, float]
    ) -> Prediction:
        """Answers of this frame's rows become a prediction, and are remembered."""
        frame, canvas = encoded.frames[0], encoded.geometries[0]
        segments: Sequence[Segment] = ()
        if answers:
            self.vectors = self.asked
            self._remember(answers)
        if answers and isinstance(self.ask.prompt, Regions):
            segments = self._regions(encoded, answers, self.ask.prompt)
        elif self.identities is not None and isinstance(self.ask.prompt, Categories):
            segments = self._things(encoded, answers[0], self.ask.prompt)
        elif answers:
            parts = [answer.part for answer in answers]
            thresholds = self.segmenter.thresholds
            told = build_prediction(self.ask, frame, canvas, parts, thresholds, seconds, self.text)
            return _with_track(told) if self.kind is ConditionKind.SENTENCE else told
        return Prediction(
            frame.source,
            frame.index,
            frame.height,
            frame.width,
            self.ask.task,
            self.ask.prompt,
            tuple(segments),
            self.text,
            seconds=seconds,
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """Plain arrays, bounded by the number of regions, tracks and averaged frames."""
        arrays = {
            f"past{number}": torch.stack(past).float().cpu().numpy()
            for number, past in enumerate(self.past)
            if past
        }
        if self.vectors is not None:
            arrays["vectors"] = self.vectors.float().cpu().numpy()
        return arrays | (self.identities.state() if self.identities else {})

    def _remember(self, answers: Sequence[TrackedOutput]) -> None:
        """Keep the conditions that the next frames are averaged with."""
        kept = self.segmenter.model.config.prompt_frames - 1
        past = self.past or [()] * len(answers)
        if kept:
            self.past = [
                (*before, answer.condition)[-kept:]
                for before, answer in zip(past, answers, strict=True)
            ]

    def _draw(self, encoded: EncodedFrames, prompt: Regions) -> Tensor:
        """What was pointed at looks like this, (R, D); seen in the frame in which it was drawn."""
        if self.vectors is not None:
            return self.vectors
        frame, masks = encoded.frames[0], [region.mask for region in prompt.regions]
        if any(mask.shape != (frame.height, frame.width) for mask in masks):
            raise UsageError(
                f"{frame.source}: a region is drawn on another size than that of frame "
                f"{frame.index}, {frame.width}x{frame.height}"
            )
        return self.segmenter.embed_regions(encoded, 0, self.segmenter.place(masks))

    def _regions(
        self, encoded: EncodedFrames, answers: Sequence[TrackedOutput], prompt: Regions
    ) -> list[Segment]:
        found = match_regions([answer.part for answer in answers], encoded.geometries[0])
        given = encoded.frames[0].index == self.ask.frame
        segments = []
        for number, region in enumerate(prompt.regions):
            mask, score = found.masks[number].cpu().numpy(), float(found.scores[number])
            if given and region.kind == "mask":
                mask, score = region.mask, 1.0
            label, track = f"{region.kind} {number + 1}", number + 1
            if mask.any() and score >= (self.ask.threshold or 0):
                segments.append(segment_from_mask(mask, score, label, track_id=track))
        if self.segmenter.model.config.region_memory and not given:
            self._look_again(encoded, found.masks, found.clear)
        return segments

    def _look_again(self, encoded: EncodedFrames, masks: Tensor, clear: Tensor) -> None:
        """What was seen clearly is what is looked for in the next frame."""
        again = [i for i in clear.nonzero()[:, 0].tolist() if bool(masks[i].any())]
        if again and self.vectors is not None:
            placed = self.segmenter.place([masks[i].cpu().numpy() for i in again])
            self.vectors = self.vectors.clone()
            self.vectors[again] = self.segmenter.embed_regions(encoded, 0, placed)

    def _things(
        self, encoded: EncodedFrames, answer: TrackedOutput, prompt: Categories
    ) -> list[Segment]:
        assert self.identities is not None
        scores, low = answer.part
        found = self.identities.step(scores, *answer.identified, low)
        least = self.segmenter.thresholds.instance_score
        least = least if self.ask.threshold is None else self.ask.threshold
        segments = []
        for thing in found:
            if not prompt.is_thing(thing.category):
                continue
            full = resize_to_original(low[thing.query][None], encoded.geometries[0])
            mask, score = (full[0] > 0).cpu().numpy(), thing.score * float(mask_scores(full))
            if mask.any() and score >= least:
                name = prompt.names[thing.category]
                segments.append(
                    segment_from_mask(mask, score, name, thing.category, thing.track + 1)
                )
        return segments


def _with_track(told: Prediction) -> Prediction:
    """What a sentence means is one thing, or one group, throughout a video."""
    return replace(told, segments=tuple(replace(s, track_id=1) for s in told.segments))
