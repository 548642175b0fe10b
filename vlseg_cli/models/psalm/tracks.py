"""What the parts of a PSALM session share: a view of one frame, track numbers, and how alike
things look."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from vlseg_cli.models.base import SessionState
from vlseg_cli.models.mask2former.modeling import ImageFeatures, MaskOutput
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.nn.postprocessing import (
    ImageGeometry,
    generalized_mask,
    referring_scores,
    resize_to_original,
)
from vlseg_cli.schema import Expression, Frame, PromptRequest, Question, Segment, segment_from_mask
from vlseg_cli.text.placeholders import ConditionKind

TrackSegments = list[list[Segment]]  # for each ask


class FrameView(NamedTuple):
    """A frame, the sizes it passed through, and what the model saw of it."""

    frame: Frame
    canvas: ImageGeometry
    seen: ImageFeatures

    def pictures(self, count: int) -> Tensor:
        """(count,) zeros: all prompts are about this one picture."""
        return torch.zeros(count, dtype=torch.long, device=self.seen.tokens.device)


class Tracks(Protocol):
    """What some of a session's asks follow. A step asks first and follows then, so that numbers
    that are not finite change nothing."""

    def predict(self, view: FrameView) -> MaskOutput | None:
        """What the model says about the frame; None if there is nothing to ask it yet."""
        ...

    def update(self, view: FrameView, answered: MaskOutput | None) -> TrackSegments:
        """The segments of each ask, with their track numbers; remembers them."""
        ...

    def state(self) -> SessionState:
        """Everything that is remembered."""
        ...


class TrackNumbers:
    """Numbers from 1 on, none given twice in a session."""

    def __init__(self, given: int = 0) -> None:
        self.given = given

    def take(self) -> int:
        """The next number."""
        self.given += 1
        return self.given


class AppearanceRule:
    """How alike things of different frames look, in [-1, 1], the frame's own look taken off."""

    def __init__(self, psalm: PSALM, seen: ImageFeatures) -> None:
        self.mean = psalm.region_feature_map(seen)[0].flatten(1).float().mean(1)

    def apart(self, looks: Tensor) -> Tensor:
        """Looks (R, C) without what all of the frame has in common."""
        return looks - self.mean


def appearance_similarity(looks: Tensor, others: Tensor) -> Tensor:
    """(N, C), (M, C) -> (N, M) cosines."""
    return F.normalize(looks.float(), dim=-1) @ F.normalize(others.float(), dim=-1).T


def mask_ious(masks: Tensor, others: Tensor) -> Tensor:
    """(N, h, w), (M, h, w) bool -> (N, M); 0 if both are empty."""
    first, second = masks.flatten(1).float(), others.flatten(1).float()
    both = first @ second.T
    either = first.sum(1, keepdim=True) + second.sum(1) - both
    return both / either.clamp(min=1)


def kept(tensor: Tensor) -> NDArray[np.generic]:
    """A tensor (of a type that NumPy knows, so never bfloat16) as a state keeps it."""
    array: NDArray[np.generic] = tensor.cpu().numpy()
    return array


_MANY = 0.6  # score from which a mask joins a generalized answer (PSALM section 7.5)


class SentenceTracks:
    """All sentences of a session, read together; there is nothing to remember."""

    def __init__(
        self, segmenter: PSALMSegmenter, requests: Sequence[PromptRequest], numbers: Sequence[int]
    ) -> None:
        self._model, self._asks, self._numbers = segmenter.model, tuple(requests), tuple(numbers)
        self._texts = [_text(ask) for ask in requests]
        self._sequences = [segmenter.prompts.sentence(text) for text in self._texts]

    def predict(self, view: FrameView) -> MaskOutput:
        """See ``Tracks``."""
        pictures = view.pictures(len(self._sequences))
        answered: MaskOutput = self._model(
            view.seen, self._sequences, pictures, ConditionKind.SENTENCE
        )
        return answered

    def update(self, view: FrameView, answered: MaskOutput | None) -> TrackSegments:
        """See ``Tracks``; nothing where the best mask scores too low to be what is meant."""
        assert answered is not None
        return [self._best(place, view, answered) for place in range(len(self._asks))]

    def state(self) -> SessionState:
        """See ``Tracks``."""
        return {}

    def _best(self, place: int, view: FrameView, answered: MaskOutput) -> list[Segment]:
        ask, text = self._asks[place], self._texts[place]
        masks = resize_to_original(answered.pred_masks[-1][place], view.canvas)
        scores = referring_scores(answered.scores[-1][place][:, 0], masks)
        best, score = int(scores.argmax()), float(scores.max())
        least = self._model.config.video_score if ask.threshold is None else ask.threshold
        mask = masks[best] > 0
        if ask.many:
            mask = generalized_mask(scores, masks, _MANY if ask.threshold is None else least)
        if score < least or not bool(mask.any()):
            return []
        number = self._numbers[place]
        return [segment_from_mask(mask.cpu().numpy(), score, text, track_id=number)]


def _text(ask: PromptRequest) -> str:
    assert isinstance(ask.prompt, Expression | Question)
    return ask.prompt.text
