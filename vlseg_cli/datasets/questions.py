"""Questions about images: instructions for short answers and choice letters, and their samples.

The instructions are those of LLaVA-1.5, used by all papers. ``joint`` is what separates them from
the question: a line break in LLaVA and its successors (PSALM, HyperSeg), a space in InternVL and
its successors (SELF1E).
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
    """A question with the short-answer instruction; unanswerable: allow it, as for VizWiz."""
    return f"{question}{_JOINTS[joint]}{_UNSURE if unanswerable else ''}{_SHORT}"


def letter_question(
    question: str, choices: Sequence[str], hint: str = "", language: Language = "en"
) -> str:
    """Hint (if any), question, choices and the letter instruction, each on a line.

    >>> letter_question("What is it?", ["a cup", "a cat"]).splitlines()[:2]
    ['What is it?', 'A. a cup']
    """
    listed = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=False)]
    return "\n".join([*([hint] if hint else []), question, *listed, _LETTER[language]])


class QuestionRecord(NamedTuple):
    """One question; the other fields are those of ``Query``."""

    text: str
    key: str
    answers: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    kind: str = ""


class QuestionDataset:
    """A sample per image with all its questions, images in order of appearance.

    path: the source of the questions, for errors. Raises NoInputError if there are none.
    """

    def __init__(self, path: Path, questions: Iterable[tuple[Path, QuestionRecord]]) -> None:
        by_image: dict[Path, list[QuestionRecord]] = defaultdict(list)
        for image, question in questions:
            by_image[image].append(question)
        if not by_image:
            raise NoInputError(f"{path} has no questions about images: it may be another split.")
        self._images = list(by_image.items())

    def __len__(self) -> int:
        return len(self._images)

    def source(self, number: int) -> str:
        """Path of an image."""
        return str(self._images[number][0])

    def __getitem__(self, number: int) -> Sample:
        """Read an image and its questions. Raises InputError if it is missing or damaged."""
        path, questions = self._images[number]
        return question_sample(read_image(path), questions)


def question_sample(frame: Frame, questions: Iterable[QuestionRecord]) -> Sample:
    """An image with its questions, which have no masks."""
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
    """Records of a file with one JSON object per line, checked for these keys.

    Raises NoInputError if the file is missing, InputError naming a damaged line.
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
