"""HyperSeg's tracking (section 9.6): one tracker per prompt, and what it is made of.

Expressions need the conditions of the last frames alone; objects of categories are associated by
appearance; regions are prompted with the embeddings of where they were drawn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.base import SessionState
from vlseg_cli.models.hyperseg.segmenter import HyperSegSegmenter
from vlseg_cli.models.mask2former.postprocessing import PromptOutput, build_prediction
from vlseg_cli.models.mask2former.segmenter import EncodedFrames, kind_of
from vlseg_cli.nn.boxes import box_iou
from vlseg_cli.nn.postprocessing import (
    ImageGeometry,
    mask_scores,
    referring_scores,
    resize_to_original,
)
from vlseg_cli.nn.reid import InstanceEmbeddings
from vlseg_cli.nn.tracker import Tracker, TrackerRules, mask_nms
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

_TRACKED_TASKS = (Task.VIS, Task.INSTANCE, Task.DETECT)
_CANDIDATE = 0.1  # class score above which a query is a candidate
_DUPLICATE = 0.9  # box IoU within a class, above which two candidates are one object
_UNCLEAR = 0.4  # IoU of two regions' masks, above which neither is remembered


class NamedTrack(NamedTuple):
    """One object in one frame: its query, its track from 0, class and class score."""

    query: int
    track: int
    category: int
    score: float


class InstanceTracker:
    """A ``Tracker`` that remembers classes: a track's class has the highest sum of scores over all
    its frames. The state is bounded as the tracker's is."""

    def __init__(self, rules: TrackerRules, state: SessionState | None = None) -> None:
        """state: as ``state`` returned it, None at the beginning."""
        self.tracker = Tracker(rules, state)
        self.classes: dict[int, NDArray[np.float32]] = {}
        if state is not None:
            self.classes = dict(zip(state["ids"].tolist(), state["classes"], strict=True))

    def step(
        self, class_logits: Tensor, boxes: Tensor, embeddings: Tensor, masks: Tensor
    ) -> list[NamedTrack]:
        """class_logits (N, K + 1) with the no-object class last, boxes (N, 4), embeddings (N, D),
        masks (N, h, w) logits -> the objects of this frame, best class score first."""
        probability = class_logits.softmax(-1)[:, :-1].float()
        best, label = probability.max(-1)
        chosen = (best > _CANDIDATE).nonzero()[:, 0]
        if not len(chosen):
            chosen = best.argmax().reshape(1)
        chosen = chosen[best[chosen].argsort(descending=True, stable=True)]
        overlap, _ = box_iou(boxes[chosen].float(), boxes[chosen].float())
        same = label[chosen].unsqueeze(0) == label[chosen].unsqueeze(1)
        chosen = chosen[mask_nms((overlap * same).cpu().numpy(), _DUPLICATE).tolist()]
        tracked = self.tracker.step(
            best[chosen].cpu().numpy(),
            embeddings[chosen].float().cpu().numpy(),
            (masks[chosen] > 0).cpu().numpy(),
        )
        scores = probability.cpu().numpy()
        found = []
        for index, track in zip(tracked.kept.tolist(), tracked.ids.tolist(), strict=True):
            if track >= 0:
                query = int(chosen[index])
                found.append(self._track(query, track, scores[query]))
        self.classes = {track: self.classes[track] for track in self.tracker.tracks}
        return found

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that the next step depends on."""
        classes = np.array(list(self.classes.values()), np.float32)
        return {**self.tracker.state(), "classes": classes}

    def _track(self, query: int, track: int, scores: NDArray[np.float32]) -> NamedTrack:
        total = self.classes.get(track, np.zeros_like(scores)) + scores
        self.classes[track] = total
        category = int(total.argmax())
        return NamedTrack(query, track, category, float(scores[category]))


class RegionMatch(NamedTuple):
    """Masks (R, H, W) bool without overlap, scores (R,) in [0, 1]; clear (R,) bool: apart from
    the other masks and scored high enough to be remembered."""

    masks: Tensor
    scores: Tensor
    clear: Tensor


def match_regions(outputs: Sequence[PromptOutput], geometry: ImageGeometry) -> RegionMatch:
    """A query for each region; outputs: one for all regions, or one for each."""
    chosen: list[Tensor] = []
    scores: list[Tensor] = []
    for conditions, low in outputs:
        masks = resize_to_original(low, geometry)
        free = torch.ones(len(masks), device=low.device)
        for condition in conditions.T:
            each = referring_scores(condition, masks)
            best = int((each + free).argmax())  # taken queries only when no other is left
            free[best] = 0
            chosen.append(masks[best])
            scores.append(each[best])
    logits, found = torch.stack(chosen), torch.stack(scores)
    owner = logits.argmax(0, keepdim=True)
    owned = owner == torch.arange(len(logits), device=logits.device).view(-1, 1, 1)
    return RegionMatch((logits > 0) & owned, found, _separate(logits > 0) & (found > 0.5))


def _separate(masks: Tensor) -> Tensor:
    """(R, H, W) bool -> (R,): not empty, and apart from every other mask."""
    flat = masks.flatten(1).float()
    overlap, area = flat @ flat.T, flat.sum(1)
    iou = overlap / (area.unsqueeze(0) + area.unsqueeze(1) - overlap).clamp(min=1)
    return (area > 0) & ~(iou.fill_diagonal_(0) > _UNCLEAR).any(1)


class TrackedOutput(NamedTuple):
    """The output of one row. condition (K, d): before it was averaged over frames."""

    output: PromptOutput
    instances: InstanceEmbeddings
    condition: Tensor


class PromptTracker:
    """The state of one request of a session. past: per row, conditions (K, d) of earlier frames;
    embeddings (R, D) of regions, once they are drawn; pending: those of the present frame."""

    def __init__(
        self, segmenter: HyperSegSegmenter, request: PromptRequest, state: SessionState | None
    ) -> None:
        self.segmenter, self.request, self.kind = segmenter, request, kind_of(request)
        self.past: list[tuple[Tensor, ...]] = []
        self.embeddings: Tensor | None = None
        self.pending: Tensor | None = None
        self.text = ""
        self.instances: InstanceTracker | None = None
        state = state or {}
        if isinstance(request.prompt, Categories) and request.task in _TRACKED_TASKS:
            config = segmenter.model.config
            rules = TrackerRules(
                new_score=config.track_score,
                first_score=config.track_score,
                forget_after=config.track_frames,
            )
            self.instances = InstanceTracker(rules, state if "ids" in state else None)
        if "vectors" in state:
            self.embeddings = torch.from_numpy(state["vectors"]).to(segmenter.device)
        while (name := f"past{len(self.past)}") in state:
            self.past.append(tuple(torch.from_numpy(state[name]).to(segmenter.device)))

    def rows(
        self, encoded: EncodedFrames
    ) -> Iterator[tuple[TokenSequence, Tensor | None, tuple[Tensor, ...]]]:
        """The sequences for a frame, region embeddings (R, D) and past conditions of each; none
        before the frame in which regions are drawn."""
        request = self.request
        if isinstance(request.prompt, Regions):
            if self.embeddings is None and encoded.frames[0].index < request.frame:
                return
            self.pending = self._embed_drawn(encoded, request.prompt)
        rows = self.segmenter.rows(encoded, (0, 0), replace(request, frame=0), video=True)
        self.text = rows[0].text
        first = 0
        for row, past in zip(rows, self.past or [()] * len(rows), strict=True):
            count = 0 if row.regions is None else len(row.regions)
            own = None if self.pending is None else self.pending[first : first + count]
            first += count
            yield row.sequence, own, past

    def update(
        self, encoded: EncodedFrames, outputs: Sequence[TrackedOutput], seconds: dict[str, float]
    ) -> Prediction:
        """The outputs of this frame's rows become a prediction, and change the state."""
        frame, request = encoded.frames[0], self.request
        segments: Sequence[Segment] = ()
        if outputs:
            self.embeddings = self.pending
            self._remember_conditions(outputs)
        if outputs and isinstance(request.prompt, Regions):
            segments = self._regions(encoded, outputs, request.prompt)
        elif self.instances is not None and isinstance(request.prompt, Categories):
            segments = self._instances(encoded, outputs[0], request.prompt, self.instances)
        elif outputs:
            prediction = build_prediction(
                request,
                frame,
                encoded.geometries[0],
                [each.output for each in outputs],
                self.segmenter.model.config,
                seconds,
                self.text,
            )
            if self.kind is not ConditionKind.SENTENCE:
                return prediction
            # An expression refers to one object, or one group, throughout a video.
            return replace(
                prediction, segments=tuple(replace(s, track_id=1) for s in prediction.segments)
            )
        return Prediction.of(frame, request, segments, text=self.text, seconds=seconds)

    def state(self) -> dict[str, NDArray[Any]]:
        """Plain arrays, bounded by the number of regions, tracks and averaged frames."""
        arrays = {
            f"past{number}": torch.stack(past).float().cpu().numpy()
            for number, past in enumerate(self.past)
            if past
        }
        if self.embeddings is not None:
            arrays["vectors"] = self.embeddings.float().cpu().numpy()
        return arrays | (self.instances.state() if self.instances else {})

    def _remember_conditions(self, outputs: Sequence[TrackedOutput]) -> None:
        """Keep the conditions that the next frames are averaged with."""
        kept = self.segmenter.model.config.prompt_frames - 1
        past = self.past or [()] * len(outputs)
        if kept:
            self.past = [
                (*before, output.condition)[-kept:]
                for before, output in zip(past, outputs, strict=True)
            ]

    def _embed_drawn(self, encoded: EncodedFrames, prompt: Regions) -> Tensor:
        """Embeddings (R, D) of the regions, from the frame in which they were drawn."""
        if self.embeddings is not None:
            return self.embeddings
        frame, masks = encoded.frames[0], [region.mask for region in prompt.regions]
        if any(mask.shape != (frame.height, frame.width) for mask in masks):
            raise UsageError(
                f"{frame.source}: a region is drawn on another size than that of frame "
                f"{frame.index}, {frame.width}x{frame.height}"
            )
        return self._embed(encoded, masks)

    def _regions(
        self, encoded: EncodedFrames, outputs: Sequence[TrackedOutput], prompt: Regions
    ) -> list[Segment]:
        found = match_regions([each.output for each in outputs], encoded.geometries[0])
        drawn_here = encoded.frames[0].index == self.request.frame
        segments = []
        for index, region in enumerate(prompt.regions):
            mask, score = found.masks[index].cpu().numpy(), float(found.scores[index])
            if drawn_here and region.kind == "mask":
                mask, score = region.mask, 1.0
            label, track = f"{region.kind} {index + 1}", index + 1
            if mask.any() and score >= (self.request.threshold or 0):
                segments.append(segment_from_mask(mask, score, label, track_id=track))
        if self.segmenter.model.config.region_memory and not drawn_here:
            self._embed_found(encoded, found)
        return segments

    def _embed_found(self, encoded: EncodedFrames, found: RegionMatch) -> None:
        """Clear masks replace the regions of the next frame's prompt."""
        again = [i for i in found.clear.nonzero()[:, 0].tolist() if bool(found.masks[i].any())]
        if again and self.embeddings is not None:
            self.embeddings = self.embeddings.clone()
            masks = [found.masks[i].cpu().numpy() for i in again]
            self.embeddings[again] = self._embed(encoded, masks)

    def _embed(self, encoded: EncodedFrames, masks: Sequence[NDArray[np.bool_]]) -> Tensor:
        """Embeddings (R, D) of regions of this frame."""
        fitted = torch.from_numpy(self.segmenter.fit_regions(masks))
        image_index = torch.zeros(len(fitted), dtype=torch.long, device=self.segmenter.device)
        return self.segmenter.region_embeddings(encoded, image_index, fitted)

    def _instances(
        self,
        encoded: EncodedFrames,
        output: TrackedOutput,
        prompt: Categories,
        tracker: InstanceTracker,
    ) -> list[Segment]:
        scores, low = output.output
        threshold = self.segmenter.model.config.instance_score
        threshold = threshold if self.request.threshold is None else self.request.threshold
        segments = []
        for found in tracker.step(scores, *output.instances, low):
            if not prompt.is_thing(found.category):
                continue
            full = resize_to_original(low[found.query][None], encoded.geometries[0])
            mask, score = (full[0] > 0).cpu().numpy(), found.score * float(mask_scores(full))
            if mask.any() and score >= threshold:
                name, track = prompt.names[found.category], found.track + 1
                segments.append(segment_from_mask(mask, score, name, found.category, track))
        return segments
