"""PSALM's trackers of expressions and of named objects; ``region_tracking.py`` has that of regions.

Named objects are detected frame by frame and associated by mask overlap, category and appearance
(VIS); the appearance of an object is the decoder's vector of its query. A track that is not
detected stays in memory, so that an object that was hidden keeps its number; when the memory is
full, the track that was not detected for longest is dropped.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, Self, TypeVar

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional as F

from vlseg_cli.models.base import SessionState
from vlseg_cli.models.mask2former.modeling import ImageFeatures, MaskOutput
from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.nn.postprocessing import (
    ImageGeometry,
    generalized_mask,
    mask_scores,
    referring_scores,
    resize_to_original,
    selected_mask,
)
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    PromptRequest,
    Question,
    Segment,
    segment_from_mask,
)
from vlseg_cli.text.placeholders import ConditionKind

MAX_TRACKS = 128  # in memory
_MANY = 0.6  # score from which a mask joins a generalized prediction (PSALM section 7.5)
_DUPLICATE = 0.5  # IoU from which two masks of a frame are one object
_MOMENTUM = 0.5  # of a track's appearance and categories
_NEAR = 0.4  # least sum of overlap and appearance similarity to a track of the frame before
_FAR = 0.8  # least appearance similarity to any other track,
_CATEGORY = 0.2  # and least similarity of the categories

TrackSegments = list[list[Segment]]  # for each request


class FrameView(NamedTuple):
    """A frame, its sizes on the way through the network, and its features."""

    frame: Frame
    geometry: ImageGeometry
    features: ImageFeatures

    def image_index(self, count: int) -> Tensor:
        """(count,) zeros: all prompts are about this one image."""
        return torch.zeros(count, dtype=torch.long, device=self.features.tokens.device)


class FrameTracker(Protocol):
    """Tracks some of a session's requests. ``predict`` of all trackers runs before any ``update``,
    so that a frame whose outputs are not finite changes no state."""

    def predict(self, view: FrameView) -> MaskOutput | None:
        """The model's output for a frame; None if there is nothing to run yet."""
        ...

    def update(self, view: FrameView, output: MaskOutput | None) -> TrackSegments:
        """The segments of each request, with their track numbers; changes the state."""
        ...

    def state(self) -> SessionState:
        """Everything that the next frame depends on."""
        ...


class TrackNumbers:
    """Numbers from 1 on, each given once in a session."""

    def __init__(self) -> None:
        self.given = 0

    def take(self) -> int:
        """The next number."""
        self.given += 1
        return self.given


def appearance_similarity(first: Tensor, second: Tensor) -> Tensor:
    """(N, C), (M, C) -> (N, M) cosines."""
    return F.normalize(first.float(), dim=-1) @ F.normalize(second.float(), dim=-1).T


def mask_ious(first: Tensor, second: Tensor) -> Tensor:
    """(N, h, w), (M, h, w) bool -> (N, M); 0 if both are empty."""
    first, second = first.flatten(1).float(), second.flatten(1).float()
    intersection = first @ second.T
    union = first.sum(1, keepdim=True) + second.sum(1) - intersection
    return intersection / union.clamp(min=1)


Memory = TypeVar("Memory", bound="tuple[Tensor, ...]")


def save_memory(memory: tuple[Tensor, ...] | None) -> SessionState:
    """A NamedTuple of tensors (of types that NumPy knows, so never bfloat16) as arrays by name."""
    return {} if memory is None else {k: v.cpu().numpy() for k, v in memory._asdict().items()}  # type: ignore[attr-defined]


# Keys of states that the release before saved.
_FORMER_KEYS = {"kinds": "categories", "looks": "appearance"}


def load_memory(kind: type[Memory], state: SessionState, device: torch.device) -> Memory | None:
    """What ``save_memory`` saved; None of an empty state."""
    if not state:
        return None
    fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    state = {_FORMER_KEYS.get(name, name): array for name, array in state.items()}
    arrays = {name: torch.from_numpy(np.array(state[name])).to(device) for name in fields}
    return kind(**arrays)


class ExpressionTracker:
    """All expressions and questions of a session in one batch; without state."""

    def __init__(
        self, segmenter: PSALMSegmenter, requests: Sequence[PromptRequest], numbers: Sequence[int]
    ) -> None:
        self._model, self._numbers = segmenter.model, tuple(numbers)
        self._requests = tuple(requests)
        self._sequences = [segmenter.prompts.sentence(_text(request)) for request in requests]

    def predict(self, view: FrameView) -> MaskOutput:
        """See ``FrameTracker``."""
        image_index = view.image_index(len(self._sequences))
        output: MaskOutput = self._model(
            view.features, self._sequences, image_index, ConditionKind.SENTENCE
        )
        return output

    def update(self, view: FrameView, output: MaskOutput | None) -> TrackSegments:
        """See ``FrameTracker``; no segment where the best mask scores too low."""
        assert output is not None
        return [self._best(index, view, output) for index in range(len(self._requests))]

    def state(self) -> SessionState:
        """See ``FrameTracker``."""
        return {}

    def _best(self, index: int, view: FrameView, output: MaskOutput) -> list[Segment]:
        request = self._requests[index]
        if (selection := self._model.config.selection_score) is not None:
            least = selection if request.threshold is None else request.threshold
            logits, low = output.scores[-1][index][:, 0], output.pred_masks[-1][index]
            mask, score = selected_mask(logits, low, view.geometry, least)
            if not bool(mask.any()):
                return []
            number = self._numbers[index]
            return [segment_from_mask(mask.cpu().numpy(), score, _text(request), track_id=number)]
        masks = resize_to_original(output.pred_masks[-1][index], view.geometry)
        scores = referring_scores(output.scores[-1][index][:, 0], masks)
        best, score = int(scores.argmax()), float(scores.max())
        given = request.threshold
        least = self._model.config.video_score if given is None else given
        mask = masks[best] > 0
        if request.many:
            mask = generalized_mask(scores, masks, _MANY if given is None else given)
        if score < least or not bool(mask.any()):
            return []
        number = self._numbers[index]
        return [segment_from_mask(mask.cpu().numpy(), score, _text(request), track_id=number)]


def _text(request: PromptRequest) -> str:
    assert isinstance(request.prompt, Expression | Question)
    return request.prompt.text


class _Detections(NamedTuple):
    """M objects of a frame, best first: low (M, h, w) mask logits, categories (M, K)
    probabilities, appearance (M, d), scores (M,)."""

    low: Tensor
    categories: Tensor
    appearance: Tensor
    scores: Tensor


class _CategoryMemory(NamedTuple):
    """M tracks: numbers (M,); unseen (M,): frames since the last detection; categories (M, K)
    and appearance (M, d): running means; masks (M, h, w) bool of the last detection.

    The field names are the keys of saved session states.
    """

    numbers: Tensor
    unseen: Tensor
    categories: Tensor
    appearance: Tensor
    masks: Tensor

    @classmethod
    def empty(cls, like: _Detections) -> Self:
        """No track, in the shapes of detections."""
        none = torch.zeros(0, dtype=torch.long, device=like.scores.device)
        return cls(none, none, like.categories[:0], like.appearance[:0], like.low[:0] > 0)

    def updated(self, detections: _Detections, numbers: list[int]) -> "_CategoryMemory":
        """With the detections under their track numbers; the ``MAX_TRACKS`` latest tracks."""
        known = {number: row for row, number in enumerate(self.numbers.tolist())}
        old = [index for index, number in enumerate(numbers) if number in known]
        rows = [known[numbers[index]] for index in old]
        new = [index for index, number in enumerate(numbers) if number not in known]
        unseen, masks = self.unseen + 1, self.masks.clone()
        unseen[rows], masks[rows] = 0, detections.low[old] > 0
        categories, appearance = self.categories.clone(), self.appearance.clone()
        categories[rows] *= _MOMENTUM
        categories[rows] += (1 - _MOMENTUM) * detections.categories[old]
        appearance[rows] *= _MOMENTUM
        appearance[rows] += (1 - _MOMENTUM) * detections.appearance[old]
        taken = torch.tensor([numbers[i] for i in new], dtype=torch.long, device=unseen.device)
        joined = _CategoryMemory(
            torch.cat([self.numbers, taken]),
            torch.cat([unseen, torch.zeros_like(taken)]),
            torch.cat([categories, detections.categories[new]]),
            torch.cat([appearance, detections.appearance[new]]),
            torch.cat([masks, detections.low[new] > 0]),
        )
        latest = joined.unseen.argsort(stable=True)[:MAX_TRACKS].sort().values
        return _CategoryMemory(*(column[latest] for column in joined))


class CategoryTracker:
    """The objects of one request by category names."""

    def __init__(
        self,
        segmenter: PSALMSegmenter,
        request: PromptRequest,
        numbers: TrackNumbers,
        state: SessionState,
    ) -> None:
        assert isinstance(request.prompt, Categories)
        self._model, self._numbers = segmenter.model, numbers
        self._names = request.prompt.names
        self._sequence = segmenter.prompts.categories(self._names)
        config = self._model.config
        self._threshold = config.instance_score if request.threshold is None else request.threshold
        self._is_thing = torch.tensor(
            [request.prompt.is_thing(index) for index in range(len(self._names))],
            device=segmenter.device,
        )
        self._memory = load_memory(_CategoryMemory, state, segmenter.device)

    def predict(self, view: FrameView) -> MaskOutput:
        """See ``FrameTracker``."""
        output: MaskOutput = self._model(
            view.features, [self._sequence], view.image_index(1), ConditionKind.CATEGORY
        )
        return output

    def update(self, view: FrameView, output: MaskOutput | None) -> TrackSegments:
        """See ``FrameTracker``; best first, each under the name with its track's highest mean."""
        assert output is not None
        detections, masks = self._detect(view, output)
        memory = self._memory or _CategoryMemory.empty(detections)
        numbers = self._associate(detections, memory)
        self._memory = memory.updated(detections, numbers)
        tracks = dict(zip(self._memory.numbers.tolist(), self._memory.categories, strict=True))
        segments = []
        for mask, score, number in zip(masks, detections.scores.tolist(), numbers, strict=True):
            category, binary = int(tracks[number].argmax()), (mask > 0).cpu().numpy()
            name = self._names[category]
            segments.append(segment_from_mask(binary, score, name, category, number))
        return [segments]

    def state(self) -> SessionState:
        """See ``FrameTracker``."""
        return save_memory(self._memory)

    def _detect(self, view: FrameView, output: MaskOutput) -> tuple[_Detections, Tensor]:
        """The objects of a frame, and their masks (M, H, W) on its own grid, logits."""
        categories = output.scores[-1][0].float().softmax(-1)[:, :-1] * self._is_thing
        best = categories.amax(1)
        likely = best.argsort(descending=True, stable=True)
        likely = likely[best[likely] >= self._threshold]
        low, geometry = output.pred_masks[-1][0][likely], view.geometry
        masks = low.new_zeros(0, *geometry.original)
        if len(low):
            masks = resize_to_original(low, geometry)
        scores = best[likely] * mask_scores(masks)
        kept: list[int] = []
        overlap = mask_ious(low > 0, low > 0)
        for index in scores.argsort(descending=True, stable=True).tolist():
            duplicate = bool((overlap[index, kept] > _DUPLICATE).any())
            if (
                scores[index] >= self._threshold
                and bool((masks[index] > 0).any())
                and not duplicate
            ):
                kept.append(index)
        appearance = output.hidden[-1][0][likely].float()
        columns = low, categories[likely], appearance, scores
        return _Detections(*(column[kept] for column in columns)), masks[kept]

    def _associate(self, detections: _Detections, memory: _CategoryMemory) -> list[int]:
        """Each detection's track: the best assignment one to one, else a new number."""
        similar = appearance_similarity(detections.appearance, memory.appearance)
        near = (memory.unseen == 0) * mask_ious(detections.low > 0, memory.masks)
        kinds = appearance_similarity(detections.categories, memory.categories)
        fits = (near > 0) & (near + similar >= _NEAR) | (similar >= _FAR) & (kinds >= _CATEGORY)
        worth = ((near + similar + kinds) * fits).cpu().numpy()
        rows, columns = linear_sum_assignment(worth, maximize=True)
        known = {
            row: column for row, column in zip(rows, columns, strict=True) if fits[row, column]
        }
        return [
            int(memory.numbers[known[row]]) if row in known else self._numbers.take()
            for row in range(len(detections.scores))
        ]
