"""A model under evaluation: tasks that it does not support get empty predictions.

A benchmark of questions so runs with a model that generates no text: it gets the score of empty
answers, and a note is printed.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from vlseg_cli.models.base import Segmenter, SessionState, VideoSession, require_video
from vlseg_cli.schema import Frame, Prediction, PromptRequest


class _Encoded(NamedTuple):
    frames: Sequence[Frame]
    features: Any  # of the model


class UnsupportedTaskAdapter:
    """See ``VideoSegmenter``; a model without video raises UsageError in ``session``."""

    def __init__(self, model: Segmenter, note: Callable[[str], None]) -> None:
        """note: called once, for the first unsupported task."""
        self._model, self._note = model, note
        self.name, self.tasks = model.name, model.tasks
        self.categories, self.stuff = model.categories, model.stuff
        self.tokenizer, self.positions = model.tokenizer, model.positions
        self._noted = False

    def encode(self, frames: Sequence[Frame]) -> _Encoded:
        """See ``Segmenter``."""
        return _Encoded(frames, self._model.encode(frames))

    def predict(self, encoded: _Encoded, requests: Sequence[PromptRequest]) -> list[Prediction]:
        """See ``Segmenter``."""
        supported = [one for one in requests if one.task in self.tasks]
        predictions = iter(self._model.predict(encoded.features, supported) if supported else ())
        return [
            next(predictions) if one.task in self.tasks else self._empty(encoded.frames, one)
            for one in requests
        ]

    def session(
        self, requests: Sequence[PromptRequest], state: SessionState | None = None
    ) -> VideoSession:
        """See ``VideoSegmenter``. Raises UsageError for a model of images only."""
        return require_video(self._model).session(requests, state)

    def _empty(self, frames: Sequence[Frame], request: PromptRequest) -> Prediction:
        if not self._noted:
            self._note(
                f"The model {self.name} does not support {request.task}: its predictions are empty."
            )
            self._noted = True
        return Prediction.of(frames[request.frame], request)
