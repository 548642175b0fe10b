"""MVP-LM's instructions: as its released code words them, as its paper does, and the short wording
of a miniature.

The mark ``<seg>`` stands at the end of the answer in all of them: nothing (zeros) for the released
code, the summary token ``<PER>`` for the paper. Source: MVP-LM section 4.
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
IGNORED = -100  # label of a position that is not to be said
_NAMES_PAPER = (
    "Please identify all objects according to the given phrase list. "
    "This is all the candidate phrases."
)
_SENTENCE_PAPER = "Please identify the target according to the following instruction."
_RESULT_PAPER = "The perception result is "


class _Wording(NamedTuple):
    """How the released code asks for names: the request, what it calls names, what it promises."""

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
    """What is asked, with its mark for the picture, and what is answered, up to ``<seg>``."""

    question: str
    answer: str


def name_turn(count: int, task: Task, style: Style) -> Turn:
    """Ask for ``count`` names; SEMANTIC is asked as PANOPTIC."""
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
    """Ask for what a sentence means; the released code words several targets differently."""
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
    """A prompt with its answer. labels (L,): what is to be said, ``IGNORED`` elsewhere."""

    sequence: TokenSequence
    labels: NDArray[np.int64]


class MVPLMPrompts:
    """Makes token sequences of what is asked. summary: id of ``<PER>``, None without one.

    With a summary token ``names`` and ``sentence`` end where the model begins to speak; ``spoken``
    adds what it said.
    """

    def __init__(self, tokenizer: Tokenizer, style: Style, summary: int | None = None) -> None:
        self.tokenizer, self.style, self.summary = tokenizer, style, summary

    # What is asked in use ----------------------------------------------------------------------

    def names(self, names: Sequence[str], task: Task) -> TokenSequence:
        """Names in this order, then ``background``, which is the void class."""
        tokens = self.name_tokens(names)
        return assemble(self._asked(name_turn(len(tokens), task, self.style)), 1, names=tokens)

    def sentence(self, text: str, task: Task = Task.REFER, many: bool = False) -> TokenSequence:
        """One expression or question."""
        ids = self._asked(sentence_turn(self.style, task, many))
        return assemble(ids, 1, expression=self.sentence_tokens(text))

    def spoken(self, asked: TokenSequence, caption: Sequence[int]) -> TokenSequence:
        """``asked`` with the caption and the announcement of the result before ``<seg>``."""
        announced = [] if self.style == "plain" else self.tokenizer.ids(f" {_RESULT_PAPER}")
        said = [*caption, *announced]
        ids = np.concatenate([asked.ids[:-1], np.asarray(said, np.int64), asked.ids[-1:]])
        silent = np.full(len(said) + 1, -1)
        return TokenSequence(asked.prefix, ids, np.concatenate([asked.condition[:-1], silent]))

    def caption(self, said: Sequence[int]) -> list[int]:
        """What was said without the announcement of the result, if that was said, too."""
        announced = self.tokenizer.ids(f" {_RESULT_PAPER}")
        if self.style != "plain" and list(said[-len(announced) :]) == announced:
            return list(said[: -len(announced)])
        return list(said)

    def name_tokens(self, names: Sequence[str]) -> list[list[int]]:
        """Each name's ids with its ``[SEG]``, background last."""
        every = [*names, BACKGROUND]
        return [[*self.tokenizer.ids(name), self.tokenizer.seg] for name in every]

    def sentence_tokens(self, text: str) -> list[int]:
        """A sentence's ids with its ``[SEG]``; the full-size wordings expect `` text.``."""
        if self.style != "plain":
            text = f" {text.strip().removesuffix('.')}."
        return [*self.tokenizer.ids(text), self.tokenizer.seg]

    def nameless(self, task: Task) -> TokenSequence:
        """The beginning that every list of names has, up to its first name, and ``<seg>``."""
        beginning, _, _ = name_turn(1, task, self.style).question.partition("<cls>")
        ids = tokenize(self._opened(beginning), self.tokenizer)
        return assemble([*ids, Placeholder.QUERIES], 1)

    # What is taught ----------------------------------------------------------------------------

    def teach_names(
        self,
        names: Sequence[str],
        task: Task,
        order: Sequence[int],
        said: str = "",
        slots: int = 1,
    ) -> SupervisedCaption:
        """Names read in ``order`` (indices, background among them as the last index) while
        conditions keep the order of ``names``. said: caption, or the names that are there.

        slots: zero vectors at ``<seg>``.
        """
        tokens = self.name_tokens(names)
        turn = self._saying(name_turn(len(tokens), task, self.style), said)
        ids = self._ids(turn)
        read = assemble(ids, slots, names=[tokens[i] for i in order], keep_tail=True)
        owner = np.asarray(order)
        condition = np.where(read.condition >= 0, owner[read.condition], -1)
        return self._taught(TokenSequence(read.prefix, read.ids, condition), ids, turn, slots)

    def teach_sentence(
        self, tokens: Sequence[int], task: Task, said: str = "", slots: int = 1
    ) -> SupervisedCaption:
        """A sentence that is tokens already, ``[SEG]`` last."""
        turn = self._saying(sentence_turn(self.style, task), said)
        ids = self._ids(turn)
        read = assemble(ids, slots, expression=tokens, keep_tail=True)
        return self._taught(read, ids, turn, slots)

    def existing(self, names: Sequence[str]) -> str:
        """The released code's sentence about the names that are there."""
        return f"There exists {', '.join(names)}." if names else ""

    def _saying(self, turn: Turn, said: str) -> Turn:
        """The answer with a caption: before the summary token, or after the place of none."""
        if not said:
            return turn
        if self.style == "released":
            gap = "" if "grounding" in turn.answer else ". "  # as the authors' code has it
            return turn._replace(answer=f"{turn.answer}{gap}{said}")
        return turn._replace(answer=f"{said.strip().removesuffix('.')}. {turn.answer}")

    def _taught(
        self, read: TokenSequence, ids: list[int], turn: Turn, slots: int
    ) -> SupervisedCaption:
        tail = len(ids) - self._opening(turn) + slots - 1
        labels = np.full(len(read.ids), IGNORED)
        labels[-tail:] = read.ids[-tail:]
        silent = IGNORED if self.summary is None else self.summary
        labels[labels == Placeholder.QUERIES] = silent
        return SupervisedCaption(read, labels)

    # -------------------------------------------------------------------------------------------

    def _ids(self, turn: Turn) -> list[int]:
        if self.style == "plain":
            return tokenize(turn.question + turn.answer, self.tokenizer)
        return tokenize(chat_turn(turn.question, turn.answer), self.tokenizer)

    def _asked(self, turn: Turn) -> list[int]:
        """The whole prompt, or all of it before the answer where the model speaks for itself."""
        ids = self._ids(turn)
        if self.summary is None:
            return ids
        return [*ids[: self._opening(turn)], Placeholder.QUERIES]

    def _opening(self, turn: Turn) -> int:
        """Ids before the answer; the space before it belongs to what is said."""
        opened = tokenize(self._opened(turn.question, closed=True), self.tokenizer)
        return len(opened) - (self.style != "plain")

    def _opened(self, question: str, closed: bool = False) -> str:
        """The wrapper up to the end of the question; ``closed``: up to the answer's beginning."""
        if self.style == "plain":
            return question
        before, _, _ = chat_turn(question, "\0").partition("\0" if closed else " [/INST] \0")
        return before
