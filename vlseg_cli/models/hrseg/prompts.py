"""HRSeg's conversations, letter by letter as LLM-Seg's checkpoints were trained with them.

Source: LLM-Seg ``utils/utils.py`` and ``utils/*_dataset.py``, LLaVA's template ``llava_v1``.
'plain' is the short wording of a miniature whose tokenizer knows words alone.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.text.placeholders import (
    BEGIN,
    END,
    IMAGE,
    IMAGE_END,
    IMAGE_START,
    Placeholder,
    legacy_ids,
)
from vlseg_cli.text.sequence import TokenSequence
from vlseg_cli.text.tokenizer import SEG, Tokenizer

Style = Literal["llava", "llava-next", "plain"]

IGNORED = -100  # of labels: nothing is to be said here
PHRASE_QUESTIONS = (
    "Can you segment the {} in this image?",
    "Please segment the {} in this image.",
    "What is {} in this image? Please respond with segmentation mask.",
    "What is {} in this image? Please output segmentation mask.",
)
SENTENCE_QUESTIONS = (
    "{} Please respond with segmentation mask.",
    "{} Please output segmentation mask.",
)
ANSWERS = (
    f"It is {SEG}.",
    f"Sure, {SEG}.",
    f"Sure, it is {SEG}.",
    f"Sure, the segmentation result is {SEG}.",
    f"{SEG}.",
)
_SYSTEM = (
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the human's questions."
)
_ASKED, _TOLD = PHRASE_QUESTIONS[-1], SENTENCE_QUESTIONS[-1]  # the wordings of validation
_TURN = " ASSISTANT:"
_FIND = "find"


class HRSegTurn(NamedTuple):
    """A conversation to learn from. labels (L,): what each position after the picture should have
    been predicted as, ``IGNORED`` where that is not learned."""

    sequence: TokenSequence
    labels: NDArray[np.int64]


class HRSegPrompts:
    """Makes token sequences of what is asked; ``condition`` is 0 where the answer is read."""

    def __init__(self, tokenizer: Tokenizer, style: Style) -> None:
        self.tokenizer, self.style = tokenizer, style

    def question(self, text: str) -> TokenSequence:
        """A whole sentence, asked in the wording of validation."""
        return self._until_seg(self.lesson(_TOLD.format(text.strip()), ANSWERS[-1], text))

    def phrase(self, text: str) -> TokenSequence:
        """A name or description, asked in the wording of validation."""
        return self._until_seg(self.lesson(_ASKED.format(text.strip()), ANSWERS[-1], text))

    def drawn_question(self, text: str, rng: np.random.Generator) -> HRSegTurn:
        """A sentence to learn from, in a wording drawn at random."""
        return self._drawn(SENTENCE_QUESTIONS, text, rng)

    def drawn_phrase(self, text: str, rng: np.random.Generator) -> HRSegTurn:
        """A name or description to learn from, in a wording drawn at random."""
        return self._drawn(PHRASE_QUESTIONS, text.lower(), rng)

    def lesson(self, question: str, answer: str, bare: str) -> HRSegTurn:
        """One question and its answer. bare: the question without its wording, for 'plain'."""
        if self.style == "plain":
            ids = [Placeholder.IMAGE, *self.tokenizer.ids(f"{_FIND} {_clean(bare)}")]
            return self._lesson([*ids, self.tokenizer.seg], len(ids))
        picture = IMAGE if self.style == "llava-next" else f"{IMAGE_START}{IMAGE}{IMAGE_END}"
        asked = f"{_SYSTEM} USER: {picture}\n{_clean(question)}{_TURN}"
        ids = legacy_ids(f"{asked} {answer}{END}", self.tokenizer)
        return self._lesson(ids, len(legacy_ids(asked, self.tokenizer)))

    def _lesson(self, ids: Sequence[int], asked: int) -> HRSegTurn:
        """ids: with one picture; the first ``asked`` of them are the question."""
        image = ids.index(Placeholder.IMAGE)
        after = np.asarray(ids[image + 1 :], np.int64)
        labels = after.copy()
        labels[: asked - image - 1] = IGNORED
        condition = np.full(len(after), -1, np.int64)
        condition[np.flatnonzero(after == self.tokenizer.seg)[-1] - 1] = 0
        return HRSegTurn(TokenSequence(tuple(ids[:image]), after, condition), labels)

    def _until_seg(self, lesson: HRSegTurn) -> TokenSequence:
        """What follows the state that predicts ``[SEG]`` cannot change it."""
        prefix, ids, condition = (
            lesson.sequence.prefix,
            lesson.sequence.ids,
            lesson.sequence.condition,
        )
        end = int(condition.argmax()) + 1
        return TokenSequence(prefix, ids[:end], condition[:end])

    def _drawn(self, wordings: Sequence[str], text: str, rng: np.random.Generator) -> HRSegTurn:
        wording, answer = int(rng.integers(len(wordings))), int(rng.integers(len(ANSWERS)))
        return self.lesson(wordings[wording].format(text.strip()), ANSWERS[answer], text)


def _clean(text: str) -> str:
    """A user's words can be no mark of the conversation."""
    for mark in (IMAGE, SEG, IMAGE_START, IMAGE_END, BEGIN, END):
        text = text.replace(mark, " ")
    return text
