"""Things that were pointed at once, found in every later frame: PSALM's protocol for DAVIS.

The model is asked in each frame for what looked like the thing where it was pointed at, and like
its last answer that could be trusted (PSALM section 7.6). Where the authors read from the truth
which objects a frame shows, we compare looks: an answer unlike the first look is no answer.
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
from vlseg_cli.models.psalm.tracks import (
    AppearanceRule,
    FrameView,
    TrackSegments,
    appearance_similarity,
    kept,
    mask_ious,
)
from vlseg_cli.nn.postprocessing import referring_scores, resize_to_original
from vlseg_cli.schema import PromptRequest, Regions, Segment, UsageError, segment_from_mask
from vlseg_cli.text.placeholders import ConditionKind

_TRIED = 10  # best queries of each thing (section 7.6)
_TAKEN = 0.5  # IoU with another thing's answer from which a mask is that thing
_MINGLED = 0.4  # IoU of two answers from which neither is remembered (section 7.6)
_HERE = 0.2  # IoU with its last mask from which a thing has stayed
_STEADY = 0.5  # weight of the overlap with the last mask, and of likeness, beside the model's score


class _Candidate(NamedTuple):
    """One mask for one thing. low: logits (h, w); look (C,); worth: by which candidates compete."""

    thing: int
    worth: float
    score: float
    low: Tensor
    look: Tensor


class _RegionMemory(NamedTuple):
    """first: looks (R, C) where the things were pointed at, apart: the same without what that frame
    has in common; last: looks of the last answers that were trusted; masks: (R, h, w) bool of the
    last frame, empty for what was not seen in it."""

    first: Tensor
    apart: Tensor
    last: Tensor
    masks: Tensor


class RegionTracks:
    """The regions of one ask, drawn in frame ``PromptRequest.frame``."""

    def __init__(
        self, segmenter: PSALMSegmenter, ask: PromptRequest, numbers: list[int], state: SessionState
    ) -> None:
        assert isinstance(ask.prompt, Regions)
        self._model, self._prompts = segmenter.model, segmenter.prompts
        self._ask, self._regions, self._numbers = ask, ask.prompt.regions, numbers
        self._labels = [f"{one.kind} {number}" for number, one in enumerate(self._regions, 1)]
        self._memory: _RegionMemory | None = None
        if state:
            arrays = (torch.from_numpy(np.array(state[name])) for name in _RegionMemory._fields)
            self._memory = _RegionMemory(*(array.to(segmenter.device) for array in arrays))

    def predict(self, view: FrameView) -> MaskOutput | None:
        """See ``Tracks``. Raises UsageError if the frame that is pointed at has been left out."""
        if self._memory is not None:
            return self._answer(view, torch.cat([self._memory.first, self._memory.last]))
        if view.frame.index > self._ask.frame:
            raise UsageError(
                f"{view.frame.source}: frame {self._ask.frame}, in which it is pointed, is not"
                " among those that are answered: name another, or change --stride and --start."
            )
        if view.frame.index < self._ask.frame:
            return None
        return self._answer(view, self._looks(view, self._pointed_at()))

    def update(self, view: FrameView, answered: MaskOutput | None) -> TrackSegments:
        """See ``Tracks``; there is nothing before the frame that is pointed at."""
        if answered is None:
            return [[]]
        if self._memory is None:
            return [self._begin(view, answered)]
        return [self._go_on(view, answered, self._memory)]

    def state(self) -> SessionState:
        """See ``Tracks``."""
        memory = self._memory
        return {} if memory is None else {k: kept(v) for k, v in memory._asdict().items()}

    def _answer(self, view: FrameView, looks: Tensor) -> MaskOutput:
        """Ask for what looks (R or 2 R, C) like this, all of a kind in one prompt or one each."""
        together = len(self._regions) if self._model.config.regions_together else 1
        rows = len(looks) // together
        answered: MaskOutput = self._model(
            view.seen,
            [self._prompts.regions(together)] * rows,
            view.pictures(rows),
            ConditionKind.REGION,
            looks=looks,
        )
        return answered

    def _begin(self, view: FrameView, answered: MaskOutput) -> list[Segment]:
        """Answer where it was pointed; a mask that was given is its own answer."""
        segments: list[Segment] = []
        placed = self._pointed_at().to(view.seen.tokens.device)
        for thing, region in enumerate(self._regions):
            mask, score = region.mask, 1.0
            if region.kind != "mask":
                scores, low = self._of_thing(answered, thing)
                masks = resize_to_original(low, view.canvas)
                each = referring_scores(scores, masks)
                best = int(each.argmax())
                mask, score = (masks[best] > 0).cpu().numpy(), float(each[best])
                found = _enlarged(low[best : best + 1], view)[0] > 0
                if found.any():
                    placed[thing] = found
            segments.append(self._segment(thing, mask, score))
        looks = self._looks(view, placed)
        size = answered.pred_masks[-1].shape[-2:]
        small = F.interpolate(placed[None].float(), size, mode="area")[0] >= 0.5
        apart = AppearanceRule(self._model, view.seen).apart(looks)
        self._memory = _RegionMemory(looks, apart, looks.clone(), small)
        return segments

    def _go_on(self, view: FrameView, answered: MaskOutput, memory: _RegionMemory) -> list[Segment]:
        """Choose one mask for each thing, give every pixel to one, and remember."""
        chosen = dict(sorted(self._assigned(self._candidates(view, answered, memory)).items()))
        last, masks = memory.last.clone(), torch.zeros_like(memory.masks)
        for thing, one in chosen.items():
            masks[thing] = one.low > 0
        mingled = mask_ious(masks, masks).fill_diagonal_(0).amax(1) > _MINGLED
        for thing, one in chosen.items():
            if not mingled[thing]:
                last[thing] = one.look
        self._memory = memory._replace(last=last, masks=masks)
        if not chosen:
            return []
        logits = resize_to_original(torch.stack([one.low for one in chosen.values()]), view.canvas)
        owner = logits.argmax(0)
        segments = []
        for place, (thing, one) in enumerate(chosen.items()):
            mask = ((owner == place) & (logits[place] > 0)).cpu().numpy()
            if mask.any():
                segments.append(self._segment(thing, mask, one.score))
        return segments

    def _candidates(
        self, view: FrameView, answered: MaskOutput, memory: _RegionMemory
    ) -> list[_Candidate]:
        """The best masks of each thing, by both of its looks, that look like it."""
        found: list[_Candidate] = []
        frame = AppearanceRule(self._model, view.seen)
        for row in range(2 * len(self._regions)):
            thing = row % len(self._regions)
            scores, low = self._of_thing(answered, row)
            enlarged = _enlarged(low, view)
            each = referring_scores(scores, enlarged)
            best = each.argsort(descending=True, stable=True)[: self._tried(low)]
            best = best[(enlarged[best] > 0).flatten(1).any(1)]
            if not len(best):
                continue
            looks = self._looks(view, enlarged[best] > 0)
            alike = appearance_similarity(frame.apart(looks), memory.apart[thing : thing + 1])[:, 0]
            steady = mask_ious(low[best] > 0, memory.masks[thing : thing + 1])[:, 0]
            worth = each[best] + _STEADY * (alike + steady)
            for place in (alike >= self._least(steady)).nonzero()[:, 0].tolist():
                query = best[place]
                found.append(
                    _Candidate(
                        thing, float(worth[place]), float(each[query]), low[query], looks[place]
                    )
                )
        return found

    def _least(self, steady: Tensor) -> Tensor:
        """How alike an answer must be to the first look: twice as alike where the thing was not
        just before, as after a cut. steady: overlap with the last mask."""
        least = self._model.config.appearance_threshold
        return torch.where(steady > _HERE, least, (1 + least) / 2)

    def _tried(self, low: Tensor) -> int:
        """Where each thing has queries of its own, the first is the answer and others are none."""
        return min(_TRIED, len(low)) if self._model.config.regions_together else 1

    def _assigned(self, candidates: list[_Candidate]) -> dict[int, _Candidate]:
        """One mask for each thing, the best first; no mask for two things."""
        chosen: dict[int, _Candidate] = {}
        for one in sorted(candidates, key=lambda one: -one.worth):
            if one.thing in chosen:
                continue
            if chosen:
                others = torch.stack([other.low > 0 for other in chosen.values()])
                if bool((mask_ious(one.low[None] > 0, others) > _TAKEN).any()):
                    continue
            chosen[one.thing] = one
        return chosen

    def _of_thing(self, answered: MaskOutput, row: int) -> tuple[Tensor, Tensor]:
        """Scores (N,) and masks (N, h, w) of look number ``row``."""
        scores, masks = answered.scores[-1], answered.pred_masks[-1]
        if self._model.config.regions_together:
            prompt, region = divmod(row, len(self._regions))
            return scores[prompt][:, region], masks[prompt]
        return scores[row][:, 0], masks[row]

    def _pointed_at(self) -> Tensor:
        masks = np.stack([region.mask for region in self._regions])
        return torch.from_numpy(fit_regions(masks, self._model.config.image_size))

    def _looks(self, view: FrameView, placed: Tensor) -> Tensor:
        placed = placed.to(view.seen.tokens.device)
        return self._model.region_features(view.seen, view.pictures(len(placed)), placed).float()

    def _segment(self, thing: int, mask: NDArray[np.bool_], score: float) -> Segment:
        number = self._numbers[thing]
        return segment_from_mask(mask, score, self._labels[thing], track_id=number)


def _enlarged(low: Tensor, view: FrameView) -> Tensor:
    """Masks (N, h, w) at the size of the network's input."""
    return F.interpolate(low[None], view.canvas.padded, mode="bilinear", align_corners=False)[0]
