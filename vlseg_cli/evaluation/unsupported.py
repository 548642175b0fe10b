"""A model under evaluation: whatever it cannot be asked, it answers with nothing.

A benchmark of questions can so be run by a model that was never taught to talk: it scores what
silence scores, and is told to.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from vlseg_cli.models.base import Segmenter, SessionState, VideoSession, require_video
from vlseg_cli.schema import Frame, Prediction, PromptRequest


class _Encoded(NamedTuple):
    frames: Sequence[Frame]
    seen: Any  # of the model


class UnsupportedTaskAdapter:
    """See ``VideoSegmenter``; a model of pictures alone says so when it is to watch a video."""

    def __init__(self, model: Segmenter, note: Callable[[str], None]) -> None:
        """note: told once of the first thing that the model cannot be asked."""
        self._model, self._note = model, note
        self.name, self.tasks = model.name, model.tasks
        self.categories, self.stuff = model.categories, model.stuff
        self._is_told = False

    def unknown_words(self, text: str) -> list[str]:
        """See ``Segmenter``."""
        return self._model.unknown_words(text)

    def encode(self, frames: Sequence[Frame]) -> _Encoded:
        """See ``Segmenter``."""
        return _Encoded(frames, self._model.encode(frames))

    def predict(self, encoded: _Encoded, requests: Sequence[PromptRequest]) -> list[Prediction]:
        """See ``Segmenter``."""
        possible = [ask for ask in requests if ask.task in self.tasks]
        answers = iter(self._model.predict(encoded.seen, possible) if possible else ())
        return [
            next(answers) if ask.task in self.tasks else self._silence(encoded.frames, ask)
            for ask in requests
        ]

    def session(
        self, requests: Sequence[PromptRequest], state: SessionState | None = None
    ) -> VideoSession:
        """See ``VideoSegmenter``. Raises UsageError if the model answers pictures only."""
        return require_video(self._model).session(requests, state)

    def _silence(self, frames: Sequence[Frame], ask: PromptRequest) -> Prediction:
        if not self._is_told:
            self._note(f"The model {self.name} has no {ask.task}: it answers that by silence.")
            self._is_told = True
        frame = frames[ask.frame]
        return Prediction(
            frame.source, frame.index, frame.height, frame.width, ask.task, ask.prompt, ()
        )
