"""Frames to records through time: each video is watched by a session of the model, frame by frame.

What a session has in mind is kept with every part, so that a run which was killed goes on as if it
never had been.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.jobs.inference import (
    BatchInference,
    FrameAnswer,
    RequestsFor,
    is_out_of_memory,
    too_large,
)
from vlseg_cli.models.base import SessionState, VideoSegmenter, VideoSession
from vlseg_cli.outputs.records import record_of
from vlseg_cli.schema import (
    Frame,
    InputError,
    Item,
    OutputError,
    PromptRequest,
    Regions,
    UsageError,
    VlsegError,
)

_FIRST = "watching/first"  # beside what the session keeps


class TrackingInference:
    """Answers the frames of one video after the other, each frame alone and in order."""

    batch_size = 1

    def __init__(
        self,
        model: VideoSegmenter,
        ask: RequestsFor,
        pictures: BatchInference | None = None,
        exact_scores: bool = False,
    ) -> None:
        """ask: of a frame with the number of the video's first; ``PromptRequest.frame`` is as
        ``VideoSegmenter`` has it. pictures: answers those that are among the inputs; None if there
        must be none. exact_scores: see ``JobSettings``.
        """
        self._exact = exact_scores
        self._model, self._ask, self._pictures = model, ask, pictures
        self._session: VideoSession | None = None
        self._state: dict[str, NDArray[Any]] = {}  # of the session, until there is one
        self._refused: UsageError | None = None
        self._asks: Sequence[PromptRequest] = ()
        self._first: int | None = None  # number of the frame that the video was begun with
        self._last: Frame | None = None

    def begin(self, part: int, state: SessionState | None) -> None:
        """See ``Answers``. Raises OutputError if what was kept is gone."""
        if part and state is None:
            raise OutputError(
                "What the run had in mind of a video is gone from --out: run it again with"
                " --overwrite."
            )
        self._state = dict(state or {})
        first = self._state.pop(_FIRST, None)
        self._first = None if first is None else int(first)
        self._session, self._refused = None, None
        self._asks, self._last = (), None

    def predict(self, frames: Sequence[tuple[Item, Frame]]) -> list[FrameAnswer]:
        """See ``Answers``."""
        if self._pictures is not None and not any(item.is_video for item, _ in frames):
            return self._pictures.predict(frames)
        return [self._look(item, frame) for item, frame in frames]

    def state(self) -> SessionState:
        """See ``Answers``."""
        state = self._state if self._session is None else self._session.state()
        return {**state, _FIRST: np.array(self._first)}

    def end(self) -> VlsegError | None:
        """See ``Answers``: places may be pointed at in a frame that never comes."""
        last = self._last
        places = [ask.frame for ask in self._asks if isinstance(ask.prompt, Regions)]
        if last is None or max(places, default=0) <= last.index:
            return None
        return UsageError(
            f"{last.source} ends with frame {last.index}, before frame {max(places)}, in which it"
            " is pointed: name an earlier one."
        )

    def _look(self, item: Item, frame: Frame) -> FrameAnswer:
        if not item.is_video:
            return InputError(
                f"{item.source} is a picture, and only videos are tracked: ask about pictures with"
                " segment, refer, reason or detect."
            )
        self._last = frame
        if self._first is None:
            self._first = frame.index
        if self._refused is not None:
            return self._refused
        try:
            if self._session is None:
                self._asks = self._ask(item, replace(frame, index=self._first))
                self._session = self._model.session(self._asks, self._state or None)
            predictions = self._session.step(frame)
        except InputError as error:
            return error
        except UsageError as error:  # a prompt that does not fit this video will not fit it later
            self._refused = error
            return error
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return too_large(frame)
        return [record_of(one, item, frame.time, self._exact) for one in predictions]
