"""How questions are put so that answers can be scored: short words, or the letter of a choice.

The sentences are those of LLaVA-1.5, which all the papers use. LLaVA's line (PSALM, HyperSeg) puts
them on a line of their own; InternVL's (SELF1E) behind a space.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from vlseg_cli.datasets.base import parsed
from vlseg_cli.media.image import read_image
from vlseg_cli.schema import Frame, InputError, NoInputError, Query, Question, Sample, Task

LETTERS = "ABCDEFGH"

Joint = Literal["line", "space"]
Language = Literal["en", "cn"]

_SHORT = "Answer the question using a single word or phrase."
_UNSURE = "When the provided information is insufficient, respond with 'Unanswerable'. "
_LETTER: dict[Language, str] = {
    "en": "Answer with the option's letter from the given choices directly.",
    "cn": "请直接回答选项字母。",
}
_JOINTS: dict[Joint, str] = {"line": "\n", "space": " "}


def short_question(question: str, joint: Joint, *, unanswerable: bool = False) -> str:
    """Ask for a single word or phrase; unanswerable: VizWiz's pictures may not tell."""
    return f"{question}{_JOINTS[joint]}{_UNSURE if unanswerable else ''}{_SHORT}"


def letter_question(
    question: str, choices: Sequence[str], hint: str = "", language: Language = "en"
) -> str:
    """Ask for the letter of a choice: hint if there is one, question, choices, each on a line.

    >>> letter_question("What is it?", ["a cup", "a cat"]).splitlines()[:2]
    ['What is it?', 'A. a cup']
    """
    listed = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=False)]
    return "\n".join([*([hint] if hint else []), question, *listed, _LETTER[language]])


class QuestionRecord(NamedTuple):
    """One question; the rest as in ``Query``."""

    text: str
    key: str
    answers: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    kind: str = ""


class QuestionDataset:
    """A sample per picture, with all that is asked about it; pictures in the order they come.

    path: the file that the questions are from. Raises NoInputError if there are no questions.
    """

    def __init__(self, path: Path, questions: Iterable[tuple[Path, QuestionRecord]]) -> None:
        by_picture: dict[Path, list[QuestionRecord]] = defaultdict(list)
        for picture, asked in questions:
            by_picture[picture].append(asked)
        if not by_picture:
            raise NoInputError(f"{path} asks nothing about any picture: it may be another split.")
        self._pictures = list(by_picture.items())

    def __len__(self) -> int:
        return len(self._pictures)

    def source(self, number: int) -> str:
        """Path of a picture."""
        return str(self._pictures[number][0])

    def __getitem__(self, number: int) -> Sample:
        """Read one picture and its questions. Raises InputError if it is missing or damaged."""
        path, questions = self._pictures[number]
        return question_sample(read_image(path), questions)


def question_sample(frame: Frame, questions: Iterable[QuestionRecord]) -> Sample:
    """A picture with its questions, which mean no pixels."""
    masks = np.zeros((0, frame.height, frame.width), bool)
    labels = np.zeros(0, np.int64)
    return Sample(
        frame,
        tuple(
            Query(
                Task.CHAT,
                Question(one.text),
                masks,
                labels,
                kind=one.kind,
                answers=one.answers,
                choices=one.choices,
                key=one.key,
            )
            for one in questions
        ),
    )


def read_lines(path: Path, *keys: str) -> Iterator[dict[str, Any]]:
    """Records of a file with one JSON object a line, all with these keys.

    Raises NoInputError if there is no such file, InputError naming a line that lacks something.
    """
    for number, line in enumerate(parsed(path, bytes.splitlines), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            for key in keys:
                record[key]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}, line {number}, lacks {error}: fetch it again.") from error
        yield record
