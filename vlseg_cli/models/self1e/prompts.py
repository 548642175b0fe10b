"""SELF1E's conversations, letter by letter as its checkpoints were trained with them (section 4).

Every token id comes from the tokenizer beside the weights. 'plain' is the short wording of a
miniature: the text and the answer, nothing else.
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
from vlseg_cli.text.tokenizer import SEG, UNKNOWN, Tokenizer, new_tokenizer

Style = Literal["self1e", "plain"]

BEGIN, END = "<|im_start|>", "<|im_end|>"
IMAGE, IMAGE_BEGIN, IMAGE_END = "<IMG_CONTEXT>", "<img>", "</img>"
SPECIAL_TOKENS = (BEGIN, END, IMAGE_BEGIN, IMAGE_END, IMAGE)

_SYSTEM = f"{BEGIN}system\nYou are an helpful assistant.{END}\n"  # 'an helpful': theirs
_HEADER = f"{BEGIN}assistant\n"
_OUTPUT = "Please output segmentation mask."
_RUN = re.compile(f"((?:{re.escape(IMAGE)})+)")
FORCED = f"{SEG}."  # the answer that is given, not generated, for a mask

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
    """Token ids (L,) and bool masks (L,): image tokens, ``[SEG]``, and the assistant's answers with
    their end, which the next-token loss supervises."""

    ids: NDArray[np.int64]
    image: NDArray[np.bool_]
    seg: NDArray[np.bool_]
    answer: NDArray[np.bool_]


class SELF1EPrompts:
    """Conversations of prompts. image_tokens: of one tile."""

    def __init__(self, tokenizer: Tokenizer, style: Style, image_tokens: int) -> None:
        """Raises WeightsError if the tokenizer lacks a special token."""
        ids = {
            token: number
            for token in SPECIAL_TOKENS
            if (number := tokenizer.rust.token_to_id(token)) is not None
        }
        if missing := [token for token in SPECIAL_TOKENS if token not in ids]:
            raise WeightsError(f"the tokenizer is none of SELF1E's: it lacks {', '.join(missing)}")
        self.tokenizer, self.style, self.image_tokens = tokenizer, style, image_tokens
        self.image, self.end = ids[IMAGE], ids[END]
        self.special_ids = [*ids.values(), tokenizer.seg]

    def is_special(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which ids are special tokens."""
        return np.isin(ids, self.special_ids)

    def phrase(self, text: str, tiles: int = 1) -> Conversation:
        """An expression or a category name, with the answer given."""
        subject = _checked(text).lower()
        return self._forced(f" What is {subject} in this image? {_OUTPUT}", subject, tiles)

    def sentence(self, text: str, tiles: int = 1) -> Conversation:
        """A question or an instruction, with the answer given."""
        subject = _checked(text)
        return self._forced(f" {subject} {_OUTPUT}", subject, tiles)

    def training(
        self, text: str, rng: Generator, is_sentence: bool, tiles: int = 1
    ) -> Conversation:
        """The same in a wording of training, drawn with ``rng``."""
        if self.style == "plain":
            return self.sentence(text, tiles)
        wordings = SENTENCES if is_sentence else PHRASES
        subject = _checked(text) if is_sentence else _checked(text).lower()
        question = wordings[rng.integers(len(wordings))].format(text=subject)
        answer = ANSWERS[rng.integers(len(ANSWERS))]
        return self.conversation([(question, answer)], tiles)

    def conversation(self, turns: Sequence[tuple[str, str]], tiles: int = 1) -> Conversation:
        """Questions and answers about the image, which stands before the first question."""
        (question, answer), *later = turns
        pieces = [(_SYSTEM, False), *_turn(self._image_text(tiles) + f"\n{question}", answer)]
        for turn in later:
            pieces += _turn(*turn)
        return self._assemble(pieces)

    def question(self, text: str, tiles: int = 1) -> Conversation:
        """A question whose answer the model generates."""
        user = f"{BEGIN}user\n{self._image_text(tiles)}\n{_checked(text)}{END}\n"
        return self._assemble([(_SYSTEM + user + _HEADER, False)])

    def with_answer(self, question: Conversation, ids: Sequence[int]) -> tuple[Conversation, str]:
        """A question and the ids generated for it: the whole conversation, and the text."""
        generated = list(ids)
        generated = generated[: generated.index(self.end)] if self.end in generated else generated
        flat = np.asarray([*question.ids, *generated, self.end], np.int64)
        answer = np.arange(len(flat)) >= len(question.ids)
        image = ~answer & (flat == self.image)  # in generated text this token is no image
        whole = Conversation(flat, image, flat == self.tokenizer.seg, answer)
        return whole, self.tokenizer.text(generated)

    def _forced(self, question: str, text: str, tiles: int) -> Conversation:
        if self.style == "plain":
            image = self._image_text(tiles)
            return self._assemble([(f"{image}{text}{END}", False), (SEG, True)])
        return self.conversation([(question, FORCED)], tiles)

    def _image_text(self, tiles: int) -> str:
        return IMAGE_BEGIN + IMAGE * (self.image_tokens * tiles) + IMAGE_END

    def _assemble(self, pieces: Sequence[tuple[str, bool]]) -> Conversation:
        """Tokenize pieces of text, each with whether it is an answer."""
        ids: list[int] = []
        answer: list[bool] = []
        for text, is_answer in pieces:
            tokens = self._tokens(text)
            ids += tokens
            answer += [is_answer] * len(tokens)
        flat = np.asarray(ids, np.int64)
        return Conversation(
            flat, flat == self.image, flat == self.tokenizer.seg, np.asarray(answer, bool)
        )

    def _tokens(self, text: str) -> list[int]:
        """Ids of a text; runs of image tokens bypass the tokenizer."""
        ids: list[int] = []
        for piece in _RUN.split(text):
            if piece.startswith(IMAGE):
                ids += [self.image] * (len(piece) // len(IMAGE))
            else:
                ids += self.tokenizer.ids(piece)
        return ids


def self1e_tokenizer(words: Sequence[str], unknown: Sequence[str] = ()) -> Tokenizer:
    """A tokenizer of these words, SELF1E's own and its special tokens; id 0 is padding.

    unknown: see ``new_tokenizer``.
    """
    text = " ".join((_SYSTEM, BEGIN, "user", _HEADER, *PHRASES, *SENTENCES, *ANSWERS))
    own = re.findall(r"\w+|[^\w\s]", re.sub(r"<\|\w+\|>|\[SEG\]|\{text\}", " ", text.lower()))
    marks = (PADDING, UNKNOWN, SEG, *SPECIAL_TOKENS)
    return new_tokenizer(sorted({*words, *own}), unknown, marks)


def until_seg(conversation: Conversation) -> Conversation:
    """Cut after the last ``[SEG]``: earlier tokens do not attend to later ones."""
    stop = int(np.flatnonzero(conversation.seg)[-1]) + 1
    return Conversation(
        conversation.ids[:stop],
        conversation.image[:stop],
        conversation.seg[:stop],
        conversation.answer[:stop],
    )


def _checked(text: str) -> str:
    """A user's text, stripped. Raises UsageError if it has a special token in it."""
    if found := [token for token in (*SPECIAL_TOKENS, SEG) if token in text]:
        raise UsageError(f"{found[0]} is a special token and cannot stand in a prompt")
    return text.strip()


def _turn(question: str, answer: str) -> list[tuple[str, bool]]:
    return [
        (f"{BEGIN}user\n{question}{END}\n{_HEADER}", False),
        (f"{answer}{END}", True),
        ("\n", False),
    ]
