"""PSALM's tracker of regions drawn in one frame: the protocol for DAVIS (PSALM section 7.6).

Each later frame is prompted with the features of the region where it was drawn, and of the last
mask that was clear. Where the authors read from the ground truth which objects a frame shows, we
compare features: a mask unlike the region where it was drawn is dropped.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from vlseg_cli.models.base import SessionState
from vlseg_cli.models.mask2former.image_processing import fit_regions
from vlseg_cli.models.mask2former.modeling import MaskOutput
from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.models.psalm.tracking import (
    FrameView,
    TrackSegments,
    appearance_similarity,
    load_memory,
    mask_ious,
    save_memory,
)
from vlseg_cli.nn.postprocessing import referring_scores, resize_to_original
from vlseg_cli.schema import PromptRequest, Regions, Segment, UsageError, segment_from_mask
from vlseg_cli.text.placeholders import ConditionKind

_TRIED = 10  # best queries of each object (section 7.6)
_TAKEN = 0.5  # IoU from which a mask belongs to the other object
_UNCLEAR = 0.4  # IoU of two objects' masks from which neither is remembered (section 7.6)
_PRESENT = 0.2  # IoU with its last mask from which an object has stayed
_STEADY = 0.5  # weight of last overlap and of similarity beside the model's score


class _Candidate(NamedTuple):
    """One mask for one object: low (h, w) logits, features (C,), score, and the worth by which
    candidates compete."""

    region: int
    worth: float
    score: float
    low: Tensor
    features: Tensor


class _RegionMemory(NamedTuple):
    """Of R regions: first (R, C), features where they were drawn; apart (R, C), the same centered
    by that frame's mean; last (R, C), features of the last clear masks; masks (R, h, w) bool of
    the last frame, empty for what was not found. The names are the keys of saved states."""

    first: Tensor
    apart: Tensor
    last: Tensor
    masks: Tensor


class RegionTracker:
    """The regions of one request, drawn in frame ``PromptRequest.frame``. See ``FrameTracker``."""

    def __init__(
        self,
        segmenter: PSALMSegmenter,
        request: PromptRequest,
        numbers: list[int],
        state: SessionState,
    ) -> None:
        assert isinstance(request.prompt, Regions)
        self._model, self._prompts = segmenter.model, segmenter.prompts
        self._request, self._regions, self._numbers = request, request.prompt.regions, numbers
        self._together = self._model.config.regions_together
        self._memory = load_memory(_RegionMemory, state, segmenter.device)

    def predict(self, view: FrameView) -> MaskOutput | None:
        """See ``FrameTracker``. Raises UsageError if the frame of the regions was left out."""
        if self._memory is not None:
            return self._run(view, torch.cat([self._memory.first, self._memory.last]))
        if view.frame.index > self._request.frame:
            raise UsageError(
                f"{view.frame.source}: frame {self._request.frame}, in which the regions are drawn,"
                " is not among those that are processed: name another, or change --stride and"
                " --start."
            )
        if view.frame.index < self._request.frame:
            return None
        return self._run(view, self._pool(view, self._drawn()))

    def update(self, view: FrameView, output: MaskOutput | None) -> TrackSegments:
        """See ``FrameTracker``; no segment before the frame in which the regions are drawn."""
        if output is None:
            return [[]]
        if self._memory is None:
            return [self._start(view, output)]
        return [self._continue(view, output, self._memory)]

    def state(self) -> SessionState:
        """See ``FrameTracker``."""
        return save_memory(self._memory)

    def _run(self, view: FrameView, region_features: Tensor) -> MaskOutput:
        """Prompts for features (R or 2 R, C), all of a kind in one prompt or one each."""
        together = len(self._regions) if self._together else 1
        rows = len(region_features) // together
        output: MaskOutput = self._model(
            view.features,
            [self._prompts.regions(together)] * rows,
            view.image_index(rows),
            ConditionKind.REGION,
            self._model.embed_regions(region_features),
        )
        return output

    def _start(self, view: FrameView, output: MaskOutput) -> list[Segment]:
        """The frame in which the regions are drawn; a mask that was given is its own result."""
        segments: list[Segment] = []
        regions = self._drawn().to(view.features.tokens.device)
        for index, region in enumerate(self._regions):
            mask, score = region.mask, 1.0
            if region.kind != "mask":
                scores, low = self._output_of(output, index)
                masks = resize_to_original(low, view.geometry)
                each = referring_scores(scores, masks)
                best = int(each.argmax())
                mask, score = (masks[best] > 0).cpu().numpy(), float(each[best])
                found = _at_input_size(low[best : best + 1], view)[0] > 0
                if found.any():
                    regions[index] = found
            segments.append(self._segment(index, mask, score))
        pooled = self._pool(view, regions)
        size = output.pred_masks[-1].shape[-2:]
        small = F.interpolate(regions[None].float(), size, mode="area")[0] >= 0.5
        self._memory = _RegionMemory(pooled, self._centered(view, pooled), pooled.clone(), small)
        return segments

    def _continue(
        self, view: FrameView, output: MaskOutput, memory: _RegionMemory
    ) -> list[Segment]:
        """A later frame: one mask per object, each pixel in one mask; updates the memory."""
        chosen = dict(sorted(_assign(self._candidates(view, output, memory)).items()))
        last, masks = memory.last.clone(), torch.zeros_like(memory.masks)
        for index, one in chosen.items():
            masks[index] = one.low > 0
        unclear = mask_ious(masks, masks).fill_diagonal_(0).amax(1) > _UNCLEAR
        for index, one in chosen.items():
            if not unclear[index]:
                last[index] = one.features
        self._memory = memory._replace(last=last, masks=masks)
        if not chosen:
            return []
        logits = resize_to_original(torch.stack([c.low for c in chosen.values()]), view.geometry)
        owner = logits.argmax(0)
        segments = []
        for row, (index, one) in enumerate(chosen.items()):
            mask = ((owner == row) & (logits[row] > 0)).cpu().numpy()
            if mask.any():
                segments.append(self._segment(index, mask, one.score))
        return segments

    def _candidates(
        self, view: FrameView, output: MaskOutput, memory: _RegionMemory
    ) -> list[_Candidate]:
        """The best masks of each object, by its first and its last features, that are similar."""
        found: list[_Candidate] = []
        for row in range(2 * len(self._regions)):
            index = row % len(self._regions)
            scores, low = self._output_of(output, row)
            at_input = _at_input_size(low, view)
            each = referring_scores(scores, at_input)
            # With one prompt per region the first query is the result, the others are trained away.
            tried = _TRIED if self._together else 1
            best = each.argsort(descending=True, stable=True)[:tried]
            best = best[(at_input[best] > 0).flatten(1).any(1)]
            if not len(best):
                continue
            features = self._pool(view, at_input[best] > 0)
            centered, first = self._centered(view, features), memory.apart[index : index + 1]
            similar = appearance_similarity(centered, first)[:, 0]
            steady = mask_ious(low[best] > 0, memory.masks[index : index + 1])[:, 0]
            worth = each[best] + _STEADY * (similar + steady)
            for place in (similar >= self._least_similarity(steady)).nonzero()[:, 0].tolist():
                query = best[place]
                score, value = float(each[query]), float(worth[place])
                found.append(_Candidate(index, value, score, low[query], features[place]))
        return found

    def _least_similarity(self, steady: Tensor) -> Tensor:
        """To the features where the region was drawn; halfway to 1 where the object was not just
        before, as after a cut. steady: overlap with the last mask."""
        least = self._model.config.appearance_threshold
        return torch.where(steady > _PRESENT, least, (1 + least) / 2)

    def _output_of(self, output: MaskOutput, row: int) -> tuple[Tensor, Tensor]:
        """Scores (N,) and masks (N, h, w) for row ``row`` of the region features."""
        scores, masks = output.scores[-1], output.pred_masks[-1]
        if self._together:
            prompt, region = divmod(row, len(self._regions))
            return scores[prompt][:, region], masks[prompt]
        return scores[row][:, 0], masks[row]

    def _drawn(self) -> Tensor:
        masks = np.stack([region.mask for region in self._regions])
        return torch.from_numpy(fit_regions(masks, self._model.config.image_size))

    def _pool(self, view: FrameView, regions: Tensor) -> Tensor:
        """(R, S, S) masks -> (R, C)."""
        regions = regions.to(view.features.tokens.device)
        index = view.image_index(len(regions))
        return self._model.region_features(view.features, index, regions).float()

    def _centered(self, view: FrameView, region_features: Tensor) -> Tensor:
        """Region features (R, C) minus the frame's mean, so that frames are comparable."""
        feature_map = self._model.region_feature_map(view.features)[0]
        return region_features - feature_map.flatten(1).float().mean(1)

    def _segment(self, index: int, mask: NDArray[np.bool_], score: float) -> Segment:
        label = f"{self._regions[index].kind} {index + 1}"
        return segment_from_mask(mask, score, label, track_id=self._numbers[index])


def _assign(candidates: list[_Candidate]) -> dict[int, _Candidate]:
    """One mask for each object, the best first; no mask for two objects."""
    chosen: dict[int, _Candidate] = {}
    for one in sorted(candidates, key=lambda one: -one.worth):
        if one.region in chosen:
            continue
        if chosen:
            others = torch.stack([other.low > 0 for other in chosen.values()])
            if bool((mask_ious(one.low[None] > 0, others) > _TAKEN).any()):
                continue
        chosen[one.region] = one
    return chosen


def _at_input_size(low: Tensor, view: FrameView) -> Tensor:
    """Masks (N, h, w) at the size of the network's input."""
    return F.interpolate(low[None], view.geometry.padded, mode="bilinear", align_corners=False)[0]
