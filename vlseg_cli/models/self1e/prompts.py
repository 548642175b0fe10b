"""SELF1E's conversations, letter by letter as its checkpoints were trained with them (section 4).

Every token id comes from the tokenizer beside the weights. 'plain' is the short wording of a
miniature: the sentence and the answer, nothing else.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vlseg_cli.schema import UsageError, WeightsError
from vlseg_cli.text.tokenizer import END as PADDING
from vlseg_cli.text.tokenizer import SEG, UNKNOWN, Tokenizer, word_tokenizer

Style = Literal["self1e", "plain"]

BEGIN, END = "<|im_start|>", "<|im_end|>"
IMAGE, IMAGE_BEGIN, IMAGE_END = "<IMG_CONTEXT>", "<img>", "</img>"
MARKS = (BEGIN, END, IMAGE_BEGIN, IMAGE_END, IMAGE)

_SYSTEM = f"{BEGIN}system\nYou are an helpful assistant.{END}\n"  # 'an helpful': theirs
_HEADER = f"{BEGIN}assistant\n"
_OUTPUT = "Please output segmentation mask."
_RUN = re.compile(f"((?:{re.escape(IMAGE)})+)")
FORCED = f"{SEG}."  # the answer given in the model's stead when a mask is wanted

# Drawn from in training: section 4.4.
PHRASES = (
    "Can you segment the {text} in this image?",
    "Please segment the {text} in this image.",
    "What is {text} in this image? Please respond with segmentation mask.",
    "What is {text} in this image? Please output segmentation mask.",
)
SENTENCES = (
    "{text} Please respond with segmentation mask.",
    "{text} Please output segmentation mask.",
)
ANSWERS = (
    f"It is {SEG}.",
    f"Sure, {SEG}.",
    f"Sure, it is {SEG}.",
    f"Sure, the segmentation result is {SEG}.",
    FORCED,
)


@dataclass(frozen=True, slots=True, eq=False)
class Conversation:
    """Token ids (L,) and, bool (L,) each, what they are: image tokens, ``[SEG]``, and what the
    assistant says and is trained to say, its end included."""

    ids: NDArray[np.int64]
    image: NDArray[np.bool_]
    seg: NDArray[np.bool_]
    spoken: NDArray[np.bool_]


class SELF1EPrompts:
    """Makes conversations of what is asked. ``image_tokens``: of one tile."""

    def __init__(self, tokenizer: Tokenizer, style: Style, image_tokens: int) -> None:
        """Raises WeightsError if the tokenizer lacks one of the marks."""
        ids = {
            mark: number
            for mark in MARKS
            if (number := tokenizer.rust.token_to_id(mark)) is not None
        }
        if missing := [mark for mark in MARKS if mark not in ids]:
            raise WeightsError(f"the tokenizer is none of SELF1E's: it lacks {', '.join(missing)}")
        self.tokenizer, self.style, self.image_tokens = tokenizer, style, image_tokens
        self.image, self.end = ids[IMAGE], ids[END]
        self.marks = [*ids.values(), tokenizer.seg]

    def is_mark(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which ids are marks and no words."""
        return np.isin(ids, self.marks)

    def phrase(self, text: str, tiles: int = 1) -> Conversation:
        """An expression or a category name, answered by force."""
        wanted = _unmarked(text).lower()
        return self._forced(f" What is {wanted} in this image? {_OUTPUT}", wanted, tiles)

    def sentence(self, text: str, tiles: int = 1) -> Conversation:
        """A question or an instruction, answered by force."""
        wanted = _unmarked(text)
        return self._forced(f" {wanted} {_OUTPUT}", wanted, tiles)

    def training(
        self, text: str, rng: Generator, is_sentence: bool, tiles: int = 1
    ) -> Conversation:
        """The same in one of the wordings of training, drawn with ``rng``."""
        if self.style == "plain":
            return self.sentence(text, tiles)
        wordings = SENTENCES if is_sentence else PHRASES
        wanted = _unmarked(text) if is_sentence else _unmarked(text).lower()
        question = wordings[rng.integers(len(wordings))].format(text=wanted)
        answer = ANSWERS[rng.integers(len(ANSWERS))]
        return self.conversation([(question, answer)], tiles)

    def conversation(self, turns: Sequence[tuple[str, str]], tiles: int = 1) -> Conversation:
        """Questions and answers about the picture, which stands before the first question."""
        (question, answer), *later = turns
        pieces = [(_SYSTEM, False), *_turn(self._picture(tiles) + f"\n{question}", answer)]
        for turn in later:
            pieces += _turn(*turn)
        return self._assemble(pieces)

    def question(self, text: str, tiles: int = 1) -> Conversation:
        """A question whose answer the model is to say itself."""
        user = f"{BEGIN}user\n{self._picture(tiles)}\n{_unmarked(text)}{END}\n"
        return self._assemble([(_SYSTEM + user + _HEADER, False)])

    def answered(self, asked: Conversation, ids: Sequence[int]) -> tuple[Conversation, str]:
        """A question and the tokens generated for it, up to their end: all of it, and the words."""
        said = list(ids)
        said = said[: said.index(self.end)] if self.end in said else said
        flat = np.asarray([*asked.ids, *said, self.end], np.int64)
        spoken = np.arange(len(flat)) >= len(asked.ids)
        image = ~spoken & (flat == self.image)  # a model may say that token, but it shows nothing
        whole = Conversation(flat, image, flat == self.tokenizer.seg, spoken)
        return whole, self.tokenizer.text(said)

    def _forced(self, question: str, text: str, tiles: int) -> Conversation:
        if self.style == "plain":
            picture = self._picture(tiles)
            return self._assemble([(f"{picture}{text}{END}", False), (SEG, True)])
        return self.conversation([(question, FORCED)], tiles)

    def _picture(self, tiles: int) -> str:
        return IMAGE_BEGIN + IMAGE * (self.image_tokens * tiles) + IMAGE_END

    def _assemble(self, pieces: Sequence[tuple[str, bool]]) -> Conversation:
        """Tokenize text pieces, each spoken by the assistant or not."""
        ids: list[int] = []
        spoken: list[bool] = []
        for text, is_spoken in pieces:
            tokens = self._tokens(text)
            ids += tokens
            spoken += [is_spoken] * len(tokens)
        flat = np.asarray(ids, np.int64)
        return Conversation(
            flat, flat == self.image, flat == self.tokenizer.seg, np.asarray(spoken, bool)
        )

    def _tokens(self, text: str) -> list[int]:
        """Ids of a text; a long run of image tokens is not put through the tokenizer."""
        ids: list[int] = []
        for piece in _RUN.split(text):
            if piece.startswith(IMAGE):
                ids += [self.image] * (len(piece) // len(IMAGE))
            else:
                ids += self.tokenizer.ids(piece)
        return ids


def self1e_tokenizer(words: Sequence[str]) -> Tokenizer:
    """A tokenizer of these words, of SELF1E's own and its marks. Id 0, which pads, is no word."""
    said = " ".join((_SYSTEM, BEGIN, "user", _HEADER, *PHRASES, *SENTENCES, *ANSWERS))
    own = re.findall(r"\w+|[^\w\s]", re.sub(r"<\|\w+\|>|\[SEG\]|\{text\}", " ", said.lower()))
    return word_tokenizer(sorted({*words, *own}), (PADDING, UNKNOWN, SEG, *MARKS))


def until_seg(conversation: Conversation) -> Conversation:
    """Without what follows the last ``[SEG]``: nothing before it looks there."""
    stop = int(np.flatnonzero(conversation.seg)[-1]) + 1
    return Conversation(
        conversation.ids[:stop],
        conversation.image[:stop],
        conversation.seg[:stop],
        conversation.spoken[:stop],
    )


def _unmarked(text: str) -> str:
    """A user's words without the blanks around them. Raises UsageError if a mark is among them."""
    if found := [mark for mark in (*MARKS, SEG) if mark in text]:
        raise UsageError(f"{found[0]} is a mark of the model and cannot stand in a prompt")
    return text.strip()


def _turn(question: str, answer: str) -> list[tuple[str, bool]]:
    return [
        (f"{BEGIN}user\n{question}{END}\n{_HEADER}", False),
        (f"{answer}{END}", True),
        ("\n", False),
    ]
