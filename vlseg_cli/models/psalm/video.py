"""PSALM on videos: step 1 runs once per frame, and every request is tracked from its features.

The state is a few vectors and small masks per object, whatever the length of the video; an object
that was hidden, left, or was cut away is found again by its appearance.
"""

import time
from collections.abc import Sequence

import numpy as np
import torch

from vlseg_cli.models.base import SessionState, check_finite
from vlseg_cli.models.psalm.region_tracking import RegionTracker
from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.models.psalm.tracking import (
    CategoryTracker,
    ExpressionTracker,
    FrameTracker,
    FrameView,
    TrackNumbers,
)
from vlseg_cli.schema import (
    Categories,
    Frame,
    Prediction,
    PromptRequest,
    Regions,
    Segment,
    UsageError,
)

_NUMBERS = "numbers"


class PSALMSession:
    """See ``VideoSession``. Expressions and regions have track numbers from 1 on, in the order of
    the requests; then come named objects, as they are detected."""

    def __init__(
        self,
        segmenter: PSALMSegmenter,
        requests: Sequence[PromptRequest],
        state: SessionState | None = None,
    ) -> None:
        """Raises UsageError for prompts without a name or a region."""
        self._segmenter, self._requests = segmenter, tuple(requests)
        self._numbers = TrackNumbers()
        self._trackers = self._build_trackers(state or {})
        if state is not None:
            self._numbers.given = int(state[_NUMBERS])

    @torch.inference_mode()
    def step(self, frame: Frame) -> list[Prediction]:
        """See ``VideoSession``."""
        start = time.perf_counter()
        encoded = self._segmenter.encode([frame])
        view = FrameView(frame, encoded.geometries[0], encoded.features)
        outputs = [tracker.predict(view) for _, tracker in self._trackers]
        for output in outputs:
            if output is not None:
                check_finite(frame, output.scores[-1], output.pred_masks[-1])
        found: dict[int, list[Segment]] = {}
        for (indices, tracker), output in zip(self._trackers, outputs, strict=True):
            found |= dict(zip(indices, tracker.update(view, output), strict=True))
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start - encoded.seconds}
        return [
            Prediction.of(frame, request, found[index], seconds=seconds)
            for index, request in enumerate(self._requests)
        ]

    def state(self) -> SessionState:
        """See ``VideoSession``."""
        whole = {_NUMBERS: np.array(self._numbers.given)}
        for indices, tracker in self._trackers:
            whole |= {f"{indices[0]}.{name}": array for name, array in tracker.state().items()}
        return whole

    def _build_trackers(self, state: SessionState) -> list[tuple[tuple[int, ...], FrameTracker]]:
        """Each tracker with the indices of its requests; expressions share one."""
        trackers: list[tuple[tuple[int, ...], FrameTracker]] = []
        segmenter, expressions = self._segmenter, dict[int, int]()  # index -> track number
        for index, request in enumerate(self._requests):
            prefix = f"{index}."
            own = {k.removeprefix(prefix): a for k, a in state.items() if k.startswith(prefix)}
            match request.prompt:
                case Categories(names=()):
                    raise UsageError("There is no category to look for: give at least one name.")
                case Regions(regions=()):
                    raise UsageError("There is no region to track: give at least one.")
                case Categories():
                    tracker = CategoryTracker(segmenter, request, self._numbers, own)
                    trackers.append(((index,), tracker))
                case Regions(regions=regions):
                    numbers = [self._numbers.take() for _ in regions]
                    trackers.append(((index,), RegionTracker(segmenter, request, numbers, own)))
                case _:
                    expressions[index] = self._numbers.take()
        if expressions:
            requests = [self._requests[index] for index in expressions]
            shared = ExpressionTracker(segmenter, requests, [*expressions.values()])
            trackers.append((tuple(expressions), shared))
        return trackers


class PSALMVideoSegmenter(PSALMSegmenter):
    """PSALM for images and videos: see ``VideoSegmenter``."""

    def session(
        self, requests: Sequence[PromptRequest], state: SessionState | None = None
    ) -> PSALMSession:
        """See ``VideoSegmenter``."""
        return PSALMSession(self, requests, state)
