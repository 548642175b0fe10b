"""HRSeg's conversations, letter by letter as LLM-Seg's checkpoints were trained with them.

Source: LLM-Seg ``utils/utils.py`` and ``utils/*_dataset.py``, LLaVA's template ``llava_v1``.
'plain' is the short wording of a miniature whose tokenizer splits at words.
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

IGNORED = -100  # label of a position without next-token loss
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
_PHRASE, _SENTENCE = PHRASE_QUESTIONS[-1], SENTENCE_QUESTIONS[-1]  # wordings of validation
_TURN = " ASSISTANT:"
_FIND = "find"


class HRSegTurn(NamedTuple):
    """A training conversation. labels (L,): the target token of each position after the image,
    ``IGNORED`` where there is no loss."""

    sequence: TokenSequence
    labels: NDArray[np.int64]


class HRSegPrompts:
    """Token sequences of prompts; ``condition`` is 0 at the position that predicts ``[SEG]``."""

    def __init__(self, tokenizer: Tokenizer, style: Style) -> None:
        self.tokenizer, self.style = tokenizer, style

    def question(self, text: str) -> TokenSequence:
        """A question or instruction in the wording of validation."""
        return self._until_seg(self.turn(_SENTENCE.format(text.strip()), ANSWERS[-1], text))

    def phrase(self, text: str) -> TokenSequence:
        """A name or description in the wording of validation."""
        return self._until_seg(self.turn(_PHRASE.format(text.strip()), ANSWERS[-1], text))

    def drawn_question(self, text: str, rng: np.random.Generator) -> HRSegTurn:
        """A question in a wording drawn at random, for training."""
        return self._drawn(SENTENCE_QUESTIONS, text, rng)

    def drawn_phrase(self, text: str, rng: np.random.Generator) -> HRSegTurn:
        """A name or description in a wording drawn at random, for training."""
        return self._drawn(PHRASE_QUESTIONS, text.lower(), rng)

    def turn(self, question: str, answer: str, bare: str) -> HRSegTurn:
        """A question and its answer. bare: the text without its wording, for 'plain'."""
        if self.style == "plain":
            ids = [Placeholder.IMAGE, *self.tokenizer.ids(f"{_FIND} {_clean(bare)}")]
            return self._labeled([*ids, self.tokenizer.seg], len(ids))
        image = IMAGE if self.style == "llava-next" else f"{IMAGE_START}{IMAGE}{IMAGE_END}"
        question = f"{_SYSTEM} USER: {image}\n{_clean(question)}{_TURN}"
        ids = legacy_ids(f"{question} {answer}{END}", self.tokenizer)
        return self._labeled(ids, len(legacy_ids(question, self.tokenizer)))

    def _labeled(self, ids: Sequence[int], question: int) -> HRSegTurn:
        """ids: with one image; the first ``question`` of them are the question."""
        image = ids.index(Placeholder.IMAGE)
        after = np.asarray(ids[image + 1 :], np.int64)
        labels = after.copy()
        labels[: question - image - 1] = IGNORED
        condition = np.full(len(after), -1, np.int64)
        condition[np.flatnonzero(after == self.tokenizer.seg)[-1] - 1] = 0
        return HRSegTurn(TokenSequence(tuple(ids[:image]), after, condition), labels)

    def _until_seg(self, turn: HRSegTurn) -> TokenSequence:
        """Cut after the state that predicts ``[SEG]``: later tokens cannot change it."""
        whole = turn.sequence
        end = int(whole.condition.argmax()) + 1
        return TokenSequence(whole.prefix, whole.ids[:end], whole.condition[:end])

    def _drawn(self, wordings: Sequence[str], text: str, rng: np.random.Generator) -> HRSegTurn:
        wording, answer = int(rng.integers(len(wordings))), int(rng.integers(len(ANSWERS)))
        return self.turn(wordings[wording].format(text.strip()), ANSWERS[answer], text)


def _clean(text: str) -> str:
    """A user's text without special tokens."""
    for token in (IMAGE, SEG, IMAGE_START, IMAGE_END, BEGIN, END):
        text = text.replace(token, " ")
    return text
