"""Frames to records through time: a session of the model tracks objects, frame by frame.

The state of the session is stored with every chunk, so that a video is resumed as if its run had
never been killed.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.jobs.inference import (
    BatchInference,
    FrameInference,
    FrameResult,
    RequestsFor,
    is_out_of_memory,
    too_large,
)
from vlseg_cli.models.base import SessionState, VideoSegmenter, VideoSession
from vlseg_cli.outputs.records import make_record
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

_FIRST = "watching/first"  # on disk, beside the arrays of the session


class TrackingInference(FrameInference):
    """Runs the frames of one video after the other, in order."""

    def __init__(
        self,
        model: VideoSegmenter,
        requests_for: RequestsFor,
        images: BatchInference | None = None,
        exact_scores: bool = False,
    ) -> None:
        """requests_for: called with a frame that has the index of the video's first;
        ``PromptRequest.frame`` is as in ``VideoSegmenter``. images: runs images among the inputs;
        with None they are errors. exact_scores: see ``JobSettings``.
        """
        self._exact_scores = exact_scores
        self._model, self._requests_for, self._images = model, requests_for, images
        self._session: VideoSession | None = None
        self._state: dict[str, NDArray[Any]] = {}  # of the session, until there is one
        self._refused: UsageError | None = None
        self._requests: Sequence[PromptRequest] = ()
        self._first: int | None = None  # index of the frame that the video began with
        self._last: Frame | None = None

    def begin(self, chunk: int, state: SessionState | None) -> None:
        """See ``FrameInference``. Raises OutputError if the stored state is missing."""
        if chunk and state is None:
            raise OutputError(
                "The tracking state of a video is missing from --out: run again with --overwrite."
            )
        self._state = dict(state or {})
        first = self._state.pop(_FIRST, None)
        self._first = None if first is None else int(first)
        self._session, self._refused = None, None
        self._requests, self._last = (), None

    def predict(self, frames: Sequence[tuple[Item, Frame]]) -> list[FrameResult]:
        """See ``FrameInference``."""
        if self._images is not None and not any(item.is_video for item, _ in frames):
            return self._images.predict(frames)
        return [self._step(item, frame) for item, frame in frames]

    def state(self) -> SessionState:
        """See ``FrameInference``."""
        state = self._state if self._session is None else self._session.state()
        return {**state, _FIRST: np.array(self._first)}

    def end(self) -> VlsegError | None:
        """See ``FrameInference``: an error if the frame of a region prompt was never reached."""
        last = self._last
        at = [one.frame for one in self._requests if isinstance(one.prompt, Regions)]
        if last is None or max(at, default=0) <= last.index:
            return None
        return UsageError(
            f"{last.source} ends with frame {last.index}, before frame {max(at)} of the regions:"
            " give an earlier frame."
        )

    def _step(self, item: Item, frame: Frame) -> FrameResult:
        if not item.is_video:
            return InputError(
                f"{item.source} is an image, and only videos are tracked: use segment, refer,"
                " reason or detect for images."
            )
        self._last = frame
        if self._first is None:
            self._first = frame.index
        if self._refused is not None:
            return self._refused
        try:
            if self._session is None:
                self._requests = self._requests_for(item, replace(frame, index=self._first))
                self._session = self._model.session(self._requests, self._state or None)
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
        return [make_record(one, item, frame.time, self._exact_scores) for one in predictions]
