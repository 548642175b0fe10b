"""Things of named categories through a video: who is who by appearance, and what each of them is.

Source: HyperSeg section 9.6. A query is a candidate by its best class; a thing's class is the one
that it had most over all the frames in which it was seen.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.mask2former.postprocessing import PromptOutput
from vlseg_cli.nn.boxes import box_iou
from vlseg_cli.nn.postprocessing import ImageGeometry, referring_scores, resize_to_original
from vlseg_cli.nn.tracker import Tracker, TrackerRules, mask_nms

_CANDIDATE = 0.1  # class score from which a query is looked at
_SAME_BOX = 0.9  # overlap of boxes of one class, above which they are one


class NamedTrack(NamedTuple):
    """One thing in one frame: which query shows it, its track from 0, class and class score."""

    query: int
    track: int
    category: int
    score: float


class NamedTracker:
    """A tracker that also remembers classes. Its state is bounded as the tracker's is."""

    def __init__(
        self, rules: TrackerRules, state: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        """state: what ``state`` gave, None to begin."""
        self.tracker = Tracker(rules, state)
        self.classes: dict[int, NDArray[np.float32]] = {}
        if state is not None:
            self.classes = dict(zip(state["ids"].tolist(), state["classes"], strict=True))

    def step(
        self, class_logits: Tensor, boxes: Tensor, embeddings: Tensor, masks: Tensor
    ) -> list[NamedTrack]:
        """class_logits (N, K + 1) with void last, boxes (N, 4), embeddings (N, D), masks
        (N, h, w) logits -> the things of this frame, in the order of their scores."""
        probability = class_logits.softmax(-1)[:, :-1].float()
        best, label = probability.max(-1)
        chosen = (best > _CANDIDATE).nonzero()[:, 0]
        if not len(chosen):
            chosen = best.argmax().reshape(1)
        chosen = chosen[best[chosen].argsort(descending=True, stable=True)]
        overlap, _ = box_iou(boxes[chosen].float(), boxes[chosen].float())
        same = label[chosen].unsqueeze(0) == label[chosen].unsqueeze(1)
        apart = mask_nms((overlap * same).cpu().numpy(), _SAME_BOX)
        chosen = chosen[apart.tolist()]
        tracked = self.tracker.step(
            best[chosen].cpu().numpy(),
            embeddings[chosen].float().cpu().numpy(),
            (masks[chosen] > 0).cpu().numpy(),
        )
        every = probability.cpu().numpy()
        found = []
        for place, track in zip(tracked.kept.tolist(), tracked.ids.tolist(), strict=True):
            if track >= 0:
                query = int(chosen[place])
                found.append(self._identity(query, track, every[query]))
        known = self.tracker.tracks.keys()
        self.classes = {track: self.classes[track] for track in known}
        return found

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything the next step depends on."""
        classes = np.array(list(self.classes.values()), np.float32)
        return {**self.tracker.state(), "classes": classes}

    def _identity(self, query: int, track: int, scores: NDArray[np.float32]) -> NamedTrack:
        total = self.classes.get(track, np.zeros_like(scores)) + scores
        self.classes[track] = total
        category = int(total.argmax())
        return NamedTrack(query, track, category, float(scores[category]))


_ENTANGLED = 0.4  # overlap of two answers, above which neither is remembered


class RegionMatch(NamedTuple):
    """Masks (R, H, W) bool without overlap, scores (R,) in [0, 1]; clear (R,) bool: worth being
    remembered."""

    masks: Tensor
    scores: Tensor
    clear: Tensor


def match_regions(parts: Sequence[PromptOutput], canvas: ImageGeometry) -> RegionMatch:
    """The answers to regions asked together, one part for all, or apart, one part for each."""
    chosen: list[Tensor] = []
    scores: list[Tensor] = []
    for conditions, low in parts:
        masks = resize_to_original(low, canvas)
        free = torch.ones(len(masks), device=low.device)
        for condition in conditions.T:
            each = referring_scores(condition, masks)
            best = int((each + free).argmax())  # taken queries only when no other is left
            free[best] = 0
            chosen.append(masks[best])
            scores.append(each[best])
    logits = torch.stack(chosen)
    alone = logits > 0
    owner = logits.argmax(0, keepdim=True)
    mine = owner == torch.arange(len(logits), device=logits.device).view(-1, 1, 1)
    found = torch.stack(scores)
    return RegionMatch(alone & mine, found, _untangled(alone) & (found > 0.5))


def _untangled(masks: Tensor) -> Tensor:
    """(R, H, W) bool -> (R,): not empty, and apart from every other mask."""
    flat = masks.flatten(1).float()
    overlap, area = flat @ flat.T, flat.sum(1)
    iou = overlap / (area.unsqueeze(0) + area.unsqueeze(1) - overlap).clamp(min=1)
    return (area > 0) & ~(iou.fill_diagonal_(0) > _ENTANGLED).any(1)
