"""Things of named categories through a video: who is who by appearance, and what each of them is.

Source: HyperSeg section 9.6. A query is a candidate by its best class; a thing's class is the one
that it had most over all the frames in which it was seen.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.nn.boxes import box_iou
from vlseg_cli.nn.tracker import Tracker, TrackerRules, without_duplicates

_CANDIDATE = 0.1  # class score from which a query is looked at
_SAME_BOX = 0.9  # overlap of boxes of one class, above which they are one


class Identity(NamedTuple):
    """One thing in one frame: which query shows it, its track from 0, class and class score."""

    query: int
    track: int
    category: int
    score: float


class Identities:
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
    ) -> list[Identity]:
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
        apart = without_duplicates((overlap * same).cpu().numpy(), _SAME_BOX)
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

    def _identity(self, query: int, track: int, scores: NDArray[np.float32]) -> Identity:
        total = self.classes.get(track, np.zeros_like(scores)) + scores
        self.classes[track] = total
        category = int(total.argmax())
        return Identity(query, track, category, float(scores[category]))
