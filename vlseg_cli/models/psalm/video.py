"""PSALM watching a video: each frame is looked at once, and everything asked is followed in it.

What is remembered is a few vectors and small masks for each thing, whatever the length of the
video: a thing that was hidden, left or cut away is found again by its look.
"""

import time
from collections.abc import Sequence

import numpy as np
import torch

from vlseg_cli.models.base import SessionState
from vlseg_cli.models.mask2former.postprocessing import check_finite
from vlseg_cli.models.psalm.name_tracks import NameTracks
from vlseg_cli.models.psalm.region_tracks import RegionTracks
from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.models.psalm.tracks import FrameView, SentenceTracks, TrackNumbers, Tracks
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
    """See ``Session``. Sentences and regions have track numbers from 1 on, in the order they are
    asked; then come the things that names find, as they are seen."""

    def __init__(
        self,
        segmenter: PSALMSegmenter,
        requests: Sequence[PromptRequest],
        state: SessionState | None = None,
    ) -> None:
        """Raises UsageError for prompts without a name or a region."""
        self._segmenter, self._asks = segmenter, tuple(requests)
        self._numbers = TrackNumbers()
        self._groups: list[tuple[tuple[int, ...], Tracks]] = self._grouped(state)
        if state is not None:
            self._numbers.given = int(state[_NUMBERS])

    @torch.inference_mode()
    def step(self, frame: Frame) -> list[Prediction]:
        """See ``Session``."""
        start = time.perf_counter()
        encoded = self._segmenter.encode([frame])
        view = FrameView(frame, encoded.geometries[0], encoded.features)
        answers = [tracks.predict(view) for _, tracks in self._groups]
        for answered in answers:
            if answered is not None:
                check_finite([(answered.scores[-1], answered.pred_masks[-1])], frame)
        found: dict[int, list[Segment]] = {}
        for (places, tracks), answered in zip(self._groups, answers, strict=True):
            found |= dict(zip(places, tracks.update(view, answered), strict=True))
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start - encoded.seconds}
        size = (frame.height, frame.width)
        return [
            Prediction(
                frame.source,
                frame.index,
                *size,
                ask.task,
                ask.prompt,
                tuple(found[place]),
                seconds=seconds,
            )
            for place, ask in enumerate(self._asks)
        ]

    def state(self) -> SessionState:
        """See ``Session``."""
        whole = {_NUMBERS: np.array(self._numbers.given)}
        for places, tracks in self._groups:
            whole |= {f"{places[0]}.{name}": array for name, array in tracks.state().items()}
        return whole

    def _grouped(self, state: SessionState | None) -> list[tuple[tuple[int, ...], Tracks]]:
        """What follows which asks; sentences share their reading."""
        groups: list[tuple[tuple[int, ...], Tracks]] = []
        sentences: dict[int, int] = {}  # place -> track number
        for place, ask in enumerate(self._asks):
            own = _part(state, place)
            match ask.prompt:
                case Categories(names=()):
                    raise UsageError("There is no category to look for: give at least one name.")
                case Regions(regions=()):
                    raise UsageError("There is no region to follow: give at least one.")
                case Categories():
                    groups.append(((place,), NameTracks(self._segmenter, ask, self._numbers, own)))
                case Regions(regions=regions):
                    numbers = [self._numbers.take() for _ in regions]
                    groups.append(((place,), RegionTracks(self._segmenter, ask, numbers, own)))
                case _:
                    sentences[place] = self._numbers.take()
        if sentences:
            requests = [self._asks[place] for place in sentences]
            tracks = SentenceTracks(self._segmenter, requests, [*sentences.values()])
            groups.append((tuple(sentences), tracks))
        return groups


class PSALMVideoSegmenter(PSALMSegmenter):
    """PSALM for use on pictures and videos alike: see ``VideoSegmenter``."""

    def session(
        self, requests: Sequence[PromptRequest], state: SessionState | None = None
    ) -> PSALMSession:
        """See ``VideoSegmenter``."""
        return PSALMSession(self, requests, state)


def _part(state: SessionState | None, place: int) -> SessionState:
    """What is remembered for the ask at a place."""
    mine = f"{place}."
    return {name[len(mine) :]: a for name, a in (state or {}).items() if name.startswith(mine)}
