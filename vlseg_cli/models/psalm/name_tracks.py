"""Things found by name, frame by frame, and joined to tracks by place, kind and look (VIS).

Each query's vector is what its thing looks like to the decoder. A track that is not seen stays in
memory, so that a thing which was hidden or came back has its number again; when the memory is full,
what was not seen for longest is forgotten.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from vlseg_cli.models.base import SessionState
from vlseg_cli.models.mask2former.modeling import MaskOutput
from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.models.psalm.tracks import (
    FrameView,
    TrackNumbers,
    TrackSegments,
    appearance_similarity,
    kept,
    mask_ious,
)
from vlseg_cli.nn.postprocessing import mask_scores, resize_to_original
from vlseg_cli.schema import Categories, PromptRequest, segment_from_mask
from vlseg_cli.text.placeholders import ConditionKind

MOST = 128  # tracks in memory
_SAME = 0.5  # IoU from which two masks of a frame are one thing
_MOMENTUM = 0.5  # of what is remembered of a look and of a kind
_NEAR = 0.4  # least of overlap and likeness together, of a thing seen in the frame before
_FAR = 0.8  # least likeness of looks of any other thing,
_KIND = 0.2  # and of its kinds


class _Detection(NamedTuple):
    """M things of a frame, best first. low (M, h, w) logits; kinds (M, K) probabilities; looks
    (M, d); scores (M,)."""

    low: Tensor
    kinds: Tensor
    looks: Tensor
    scores: Tensor


class _NameMemory(NamedTuple):
    """M tracks. numbers (M,); unseen (M,): frames since each was seen; kinds, looks as in _Seen,
    averaged; masks (M, h, w) bool where each was seen last."""

    numbers: Tensor
    unseen: Tensor
    kinds: Tensor
    looks: Tensor
    masks: Tensor


class NameTracks:
    """The things of one ask by their names."""

    def __init__(
        self,
        segmenter: PSALMSegmenter,
        ask: PromptRequest,
        numbers: TrackNumbers,
        state: SessionState,
    ) -> None:
        assert isinstance(ask.prompt, Categories)
        self._model, self._numbers = segmenter.model, numbers
        self._names = ask.prompt.names
        self._sequence = segmenter.prompts.categories(self._names)
        config = self._model.config
        self._threshold = config.instance_score if ask.threshold is None else ask.threshold
        self._things = torch.tensor(
            [ask.prompt.is_thing(index) for index in range(len(self._names))],
            device=segmenter.device,
        )
        self._memory: _NameMemory | None = None
        if state:
            arrays = (torch.from_numpy(np.array(state[name])) for name in _NameMemory._fields)
            self._memory = _NameMemory(*(array.to(segmenter.device) for array in arrays))

    def predict(self, view: FrameView) -> MaskOutput:
        """See ``Tracks``."""
        answered: MaskOutput = self._model(
            view.seen, [self._sequence], view.pictures(1), ConditionKind.CATEGORY
        )
        return answered

    def update(self, view: FrameView, answered: MaskOutput | None) -> TrackSegments:
        """See ``Tracks``; best first, each under the name that its track has had most."""
        assert answered is not None
        seen, masks = self._look(view, answered)
        memory = _nothing(seen) if self._memory is None else self._memory
        numbers = self._numbered(seen, memory)
        self._memory = _remembered(memory, seen, numbers)
        tracks = dict(zip(self._memory.numbers.tolist(), self._memory.kinds, strict=True))
        segments = []
        for mask, score, number in zip(masks, seen.scores.tolist(), numbers, strict=True):
            kind = int(tracks[number].argmax())
            segments.append(
                segment_from_mask((mask > 0).cpu().numpy(), score, self._names[kind], kind, number)
            )
        return [segments]

    def state(self) -> SessionState:
        """See ``Tracks``."""
        memory = self._memory
        return {} if memory is None else {k: kept(v) for k, v in memory._asdict().items()}

    def _look(self, view: FrameView, answered: MaskOutput) -> tuple[_Detection, Tensor]:
        """The things of a frame, and their masks (M, H, W) on its own grid, logits."""
        kinds = answered.scores[-1][0].float().softmax(-1)[:, :-1] * self._things
        best = kinds.amax(1)
        likely = best.argsort(descending=True, stable=True)
        likely = likely[best[likely] >= self._threshold]
        low = answered.pred_masks[-1][0][likely]
        masks = (
            resize_to_original(low, view.canvas) if len(low) else low.new_zeros(0, *view.canvas[2])
        )
        scores = best[likely] * mask_scores(masks)
        places: list[int] = []
        overlap = mask_ious(low > 0, low > 0)
        for place in scores.argsort(descending=True, stable=True).tolist():
            is_known = bool((overlap[place, places] > _SAME).any())
            if scores[place] >= self._threshold and bool((masks[place] > 0).any()) and not is_known:
                places.append(place)
        looks = answered.hidden[-1][0][likely].float()
        whole = _Detection(low, kinds[likely], looks, scores)
        return _Detection(*(column[places] for column in whole)), masks[places]

    def _numbered(self, seen: _Detection, memory: _NameMemory) -> list[int]:
        """The track of each thing: the one it fits best, each taken once, else a new one."""
        alike = appearance_similarity(seen.looks, memory.looks)
        near = (memory.unseen == 0) * mask_ious(seen.low > 0, memory.masks)
        kinds = appearance_similarity(seen.kinds, memory.kinds)
        fits = (near > 0) & (near + alike >= _NEAR) | (alike >= _FAR) & (kinds >= _KIND)
        worth = ((near + alike + kinds) * fits).cpu().numpy()
        rows, columns = linear_sum_assignment(worth, maximize=True)
        known = {
            row: column for row, column in zip(rows, columns, strict=True) if fits[row, column]
        }
        return [
            int(memory.numbers[known[row]]) if row in known else self._numbers.take()
            for row in range(len(seen.scores))
        ]


def _nothing(seen: _Detection) -> _NameMemory:
    """A memory without tracks, in the shapes of what is seen."""
    none = torch.zeros(0, dtype=torch.long, device=seen.scores.device)
    return _NameMemory(none, none, seen.kinds[:0], seen.looks[:0], seen.low[:0] > 0)


def _remembered(memory: _NameMemory, seen: _Detection, numbers: list[int]) -> _NameMemory:
    """The memory with what was seen; at most ``MOST`` tracks, those seen last."""
    known = {number: row for row, number in enumerate(memory.numbers.tolist())}
    places = [place for place, number in enumerate(numbers) if number in known]
    rows = [known[numbers[place]] for place in places]
    new = [place for place, number in enumerate(numbers) if number not in known]
    unseen, masks = memory.unseen + 1, memory.masks.clone()
    unseen[rows], masks[rows] = 0, seen.low[places] > 0
    kinds, looks = memory.kinds.clone(), memory.looks.clone()
    kinds[rows] = _MOMENTUM * kinds[rows] + (1 - _MOMENTUM) * seen.kinds[places]
    looks[rows] = _MOMENTUM * looks[rows] + (1 - _MOMENTUM) * seen.looks[places]
    fresh = torch.tensor([numbers[place] for place in new], dtype=torch.long, device=unseen.device)
    joined = _NameMemory(
        torch.cat([memory.numbers, fresh]),
        torch.cat([unseen, torch.zeros_like(fresh)]),
        torch.cat([kinds, seen.kinds[new]]),
        torch.cat([looks, seen.looks[new]]),
        torch.cat([masks, seen.low[new] > 0]),
    )
    latest = joined.unseen.argsort(stable=True)[:MOST].sort().values
    return _NameMemory(*(column[latest] for column in joined))
