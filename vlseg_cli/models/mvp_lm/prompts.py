"""MVP-LM's instructions: as its released code words them, as its paper does, and the short wording
of a miniature.

All end with ``<seg>``: a zero embedding in the released code, the summary token ``<PER>`` in the
paper. Source: MVP-LM section 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.models.mask2former.prompts import BACKGROUND, chat_turn
from vlseg_cli.schema import Task
from vlseg_cli.text.placeholders import Placeholder, tokenize
from vlseg_cli.text.sequence import TokenSequence, assemble
from vlseg_cli.text.tokenizer import Tokenizer

Style = Literal["released", "paper", "plain"]

SUMMARY = "<PER>"
IGNORED = -100  # label of a position without next-token loss
_NAMES_PAPER = (
    "Please identify all objects according to the given phrase list. "
    "This is all the candidate phrases."
)
_SENTENCE_PAPER = "Please identify the target according to the following instruction."
_RESULT_PAPER = "The perception result is "


class _Wording(NamedTuple):
    """The released code's wording for names: the request, its words for names and result."""

    request: str
    names: str
    result: str


_NAMES: dict[Task, _Wording] = {
    Task.PANOPTIC: _Wording("Please do Panoptic Segmentation.", "categories", "segmentation"),
    Task.INSTANCE: _Wording(
        "Please do Instance Segmentation (segment all thing classes).", "categories", "segmentation"
    ),
    Task.DETECT: _Wording(
        "Please do Instance Detection (locate all thing classes).", "categories", "detection"
    ),
    Task.GROUND: _Wording(
        "Please do Visual Grounding (locate objects according to given phrases).",
        "phrases",
        "grounding",
    ),
}


class Turn(NamedTuple):
    """A question with ``<image>``, and its answer up to ``<seg>``."""

    question: str
    answer: str


def name_turn(count: int, task: Task, style: Style) -> Turn:
    """A prompt for ``count`` names; SEMANTIC has PANOPTIC's."""
    marks = ", ".join(["<cls>"] * count)
    if style == "plain":
        return Turn("<image> segment " + "<cls> " * count, "<seg>")
    if style == "paper":
        return Turn(
            f"This is an image <image>, {_NAMES_PAPER}\n{marks}.\n", f"{_RESULT_PAPER}<seg>"
        )
    wording = _NAMES[Task.PANOPTIC if task is Task.SEMANTIC else task]
    return Turn(
        f"This is an image <image>, {wording.request}\n"
        f"This is all the candidate {wording.names}: {marks}.\n",
        f"\nSure, the {wording.result} result is <seg>",
    )


def sentence_turn(style: Style, task: Task = Task.REFER, many: bool = False) -> Turn:
    """A prompt for a sentence; the released code words several targets differently."""
    if style == "plain":
        return Turn("<image> find <refer> ", "<seg>")
    if style == "paper":
        return Turn(
            f"This is an image <image>, {_SENTENCE_PAPER}\n<refer>", f"{_RESULT_PAPER}<seg>"
        )
    kind = "Reasoning" if task is Task.REASON else "Referring"
    verb = "do" if many else "doing"
    return Turn(
        f"This is an image <image>, Please {verb} {kind} Segmentation according to the following "
        "instruction:\n<refer>",
        "\nSure, the segmentation result is <seg>",
    )


@dataclass(frozen=True, slots=True, eq=False)
class SupervisedCaption:
    """A prompt with its answer. labels (L,): target tokens, ``IGNORED`` elsewhere."""

    sequence: TokenSequence
    labels: NDArray[np.int64]


class MVPLMPrompts:
    """Token sequences of prompts. summary: id of ``<PER>``, None without one.

    With a summary token ``names`` and ``sentence`` end where the model generates; ``with_caption``
    adds what it generated.
    """

    def __init__(self, tokenizer: Tokenizer, style: Style, summary: int | None = None) -> None:
        self.tokenizer, self.style, self.summary = tokenizer, style, summary

    # For inference ----------------------------------------------------------------------------

    def names(self, names: Sequence[str], task: Task) -> TokenSequence:
        """Names in this order, then ``background``, the no-object class."""
        tokens = self.name_tokens(names)
        return assemble(
            self._inference_ids(name_turn(len(tokens), task, self.style)), 1, names=tokens
        )

    def sentence(self, text: str, task: Task = Task.REFER, many: bool = False) -> TokenSequence:
        """One expression or question."""
        ids = self._inference_ids(sentence_turn(self.style, task, many))
        return assemble(ids, 1, expression=self.sentence_tokens(text))

    def with_caption(self, prompt: TokenSequence, caption: Sequence[int]) -> TokenSequence:
        """``prompt`` with the caption and the announcement of the result before ``<seg>``."""
        announced = [] if self.style == "plain" else self.tokenizer.ids(f" {_RESULT_PAPER}")
        added = [*caption, *announced]
        ids = np.concatenate([prompt.ids[:-1], np.asarray(added, np.int64), prompt.ids[-1:]])
        no_condition = np.full(len(added) + 1, -1)
        condition = np.concatenate([prompt.condition[:-1], no_condition])
        return TokenSequence(prompt.prefix, ids, condition)

    def caption(self, generated: Sequence[int]) -> list[int]:
        """The generated ids without the announcement of the result, if it is at the end."""
        announced = self.tokenizer.ids(f" {_RESULT_PAPER}")
        if self.style != "plain" and list(generated[-len(announced) :]) == announced:
            return list(generated[: -len(announced)])
        return list(generated)

    def name_tokens(self, names: Sequence[str]) -> list[list[int]]:
        """Each name's ids with its ``[SEG]``, background last."""
        every = [*names, BACKGROUND]
        return [[*self.tokenizer.ids(name), self.tokenizer.seg] for name in every]

    def sentence_tokens(self, text: str) -> list[int]:
        """A sentence's ids with its ``[SEG]``; the full-size wordings have `` text.``."""
        if self.style != "plain":
            text = f" {text.strip().removesuffix('.')}."
        return [*self.tokenizer.ids(text), self.tokenizer.seg]

    def before_names(self, task: Task) -> TokenSequence:
        """A prompt for names up to its first name, and ``<seg>``."""
        beginning, _, _ = name_turn(1, task, self.style).question.partition("<cls>")
        ids = tokenize(self._opened(beginning), self.tokenizer)
        return assemble([*ids, Placeholder.QUERIES], 1)

    # For training -----------------------------------------------------------------------------

    def supervised_names(
        self,
        names: Sequence[str],
        task: Task,
        order: Sequence[int],
        caption: str = "",
        slots: int = 1,
    ) -> SupervisedCaption:
        """Names in ``order`` (indices, background as the last index) while conditions keep the
        order of ``names``. caption: or the sentence of ``existing``.

        slots: zero vectors at ``<seg>``.
        """
        tokens = self.name_tokens(names)
        turn = self._with_answer(name_turn(len(tokens), task, self.style), caption)
        ids = self._ids(turn)
        shuffled = assemble(ids, slots, names=[tokens[i] for i in order], keep_tail=True)
        owner = np.asarray(order)
        condition = np.where(shuffled.condition >= 0, owner[shuffled.condition], -1)
        sequence = TokenSequence(shuffled.prefix, shuffled.ids, condition)
        return self._supervised(sequence, ids, turn, slots)

    def supervised_sentence(
        self, tokens: Sequence[int], task: Task, caption: str = "", slots: int = 1
    ) -> SupervisedCaption:
        """A sentence as token ids, ``[SEG]`` last."""
        turn = self._with_answer(sentence_turn(self.style, task), caption)
        ids = self._ids(turn)
        sequence = assemble(ids, slots, expression=tokens, keep_tail=True)
        return self._supervised(sequence, ids, turn, slots)

    def existing(self, names: Sequence[str]) -> str:
        """The released code's sentence about the names in the image."""
        return f"There exists {', '.join(names)}." if names else ""

    def _with_answer(self, turn: Turn, caption: str) -> Turn:
        """The answer with a caption: before the summary token, or at the end without one."""
        if not caption:
            return turn
        if self.style == "released":
            gap = "" if "grounding" in turn.answer else ". "  # as the authors' code has it
            return turn._replace(answer=f"{turn.answer}{gap}{caption}")
        return turn._replace(answer=f"{caption.strip().removesuffix('.')}. {turn.answer}")

    def _supervised(
        self, sequence: TokenSequence, ids: list[int], turn: Turn, slots: int
    ) -> SupervisedCaption:
        tail = len(ids) - self._question_length(turn) + slots - 1
        labels = np.full(len(sequence.ids), IGNORED)
        labels[-tail:] = sequence.ids[-tail:]
        label = IGNORED if self.summary is None else self.summary
        labels[labels == Placeholder.QUERIES] = label
        return SupervisedCaption(sequence, labels)

    # -------------------------------------------------------------------------------------------

    def _ids(self, turn: Turn) -> list[int]:
        if self.style == "plain":
            return tokenize(turn.question + turn.answer, self.tokenizer)
        return tokenize(chat_turn(turn.question, turn.answer), self.tokenizer)

    def _inference_ids(self, turn: Turn) -> list[int]:
        """The whole prompt, or the part before the answer where the model generates it."""
        ids = self._ids(turn)
        if self.summary is None:
            return ids
        return [*ids[: self._question_length(turn)], Placeholder.QUERIES]

    def _question_length(self, turn: Turn) -> int:
        """Number of ids before the answer, which includes the space before it."""
        opened = tokenize(self._opened(turn.question, closed=True), self.tokenizer)
        return len(opened) - (self.style != "plain")

    def _opened(self, question: str, closed: bool = False) -> str:
        """The wrapper up to the end of the question; ``closed``: up to the answer's beginning."""
        if self.style == "plain":
            return question
        before, _, _ = chat_turn(question, "\0").partition("\0" if closed else " [/INST] \0")
        return before
