"""Sentences through time: in every frame the best mask, as the authors of this family answer video.

Each sentence is one track. Following the last answer instead, or beside it, was measured on drawn
clips and found no better: the words know the thing by themselves, and never drift.
"""

from collections.abc import Sequence

from vlseg_cli.models.segmenters.psalm import PSALMSegmenter
from vlseg_cli.models.session import State
from vlseg_cli.models.sessions.psalm_tracks import Found, View
from vlseg_cli.models.steps import Answered
from vlseg_cli.nn.segments import generalised_mask, referred_scores, to_original
from vlseg_cli.prompts.condition import ConditionKind
from vlseg_cli.schema import Ask, Expression, Question, Segment, segment_from_mask

_MANY = 0.6  # score from which a mask joins a generalised answer (PSALM section 7.5)


class SentenceTracks:
    """All sentences of a session, read together; there is nothing to remember."""

    def __init__(
        self, segmenter: PSALMSegmenter, asks: Sequence[Ask], numbers: Sequence[int]
    ) -> None:
        self._model, self._asks, self._numbers = segmenter.model, tuple(asks), tuple(numbers)
        self._texts = [_text(ask) for ask in asks]
        self._sequences = [segmenter.prompts.sentence(text) for text in self._texts]

    def ask(self, view: View) -> Answered:
        """See ``Tracks``."""
        pictures = view.pictures(len(self._sequences))
        answered: Answered = self._model(
            view.seen, self._sequences, pictures, ConditionKind.SENTENCE
        )
        return answered

    def follow(self, view: View, answered: Answered | None) -> Found:
        """See ``Tracks``; nothing where the best mask scores too low to be what is meant."""
        assert answered is not None
        return [self._best(place, view, answered) for place in range(len(self._asks))]

    def state(self) -> State:
        """See ``Tracks``."""
        return {}

    def _best(self, place: int, view: View, answered: Answered) -> list[Segment]:
        ask, text = self._asks[place], self._texts[place]
        masks = to_original(answered.pred_masks[-1][place], view.canvas)
        scores = referred_scores(answered.scores[-1][place][:, 0], masks)
        best, score = int(scores.argmax()), float(scores.max())
        least = self._model.config.video_score if ask.threshold is None else ask.threshold
        mask = masks[best] > 0
        if ask.many:
            mask = generalised_mask(scores, masks, _MANY if ask.threshold is None else least)
        if score < least or not bool(mask.any()):
            return []
        number = self._numbers[place]
        return [segment_from_mask(mask.cpu().numpy(), score, text, track_id=number)]


def _text(ask: Ask) -> str:
    assert isinstance(ask.prompt, Expression | Question)
    return ask.prompt.text
