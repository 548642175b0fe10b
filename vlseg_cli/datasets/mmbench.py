"""MMBench (Liu et al. 2023): multiple choice, every question in all rotations of its choices.

One table, columns apart by tabs, with the pictures inside as base64; a rotation of question n has
the index n + k · 1,000,000. Tables have hundreds of megabytes, so pictures wait until asked for.
"""

import base64
import binascii
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from vlseg_cli.datasets.questions import (
    LETTERS,
    Language,
    QuestionRecord,
    letter_question,
    question_sample,
)
from vlseg_cli.media.image import decode_image
from vlseg_cli.schema import InputError, NoInputError, Sample

_ROTATION = 1_000_000
_LONGEST_CELL = 1 << 28  # characters: a picture is one cell
_CHOICES = LETTERS[:4]


class _Question(NamedTuple):
    """Where its picture's row begins in the file, and all its rotations."""

    place: int
    rotations: list[QuestionRecord]


class MMBenchDataset:
    """One table; a sample is a question with its rotations, a query's key the index of its row.

    A query's kind is the category, its answer the right letter, none where it is secret. language:
    of the demand for a letter. Raises NoInputError if the file is missing or empty, InputError if
    it is no such table.
    """

    def __init__(self, path: Path, *, language: Language = "en") -> None:
        self._path = path
        self._questions: dict[int, _Question] = {}
        for place, row in _rows(path):
            index = _index(path, row)
            question = self._questions.setdefault(index % _ROTATION, _Question(place, []))
            question.rotations.append(_asked(index, row, language))
        if not self._questions:
            raise NoInputError(f"{path} has no rows: fetch it again.")
        self._indices = list(self._questions)

    def __len__(self) -> int:
        return len(self._indices)

    def source(self, number: int) -> str:
        """The question's place in the table."""
        return f"{self._path}:{self._indices[number]}"

    def __getitem__(self, number: int) -> Sample:
        """Read a picture and its rotated questions. Raises InputError if it is damaged."""
        place, rotations = self._questions[self._indices[number]]
        _, row = next(_rows(self._path, place))
        other = row["image"]
        if other.isdecimal() and int(other) % _ROTATION in self._questions:  # it has the picture
            _, row = next(_rows(self._path, self._questions[int(other) % _ROTATION].place))
        try:
            data = base64.b64decode(row["image"], validate=True)
        except binascii.Error as error:
            raise InputError(f"{self.source(number)} has no picture ({error}).") from error
        return question_sample(decode_image(data, self.source(number)), rotations)


def _rows(path: Path, place: int = 0) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows by the names of the columns, each with where it begins; place: of the first, or all."""
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open("rb") as file:
            cells = csv.reader(_lines(file), delimiter="\t")
            header = next(cells, [])
            if missing := {"index", "question", "image", *_CHOICES[:2]} - set(header):
                raise InputError(f"{path} has no columns {sorted(missing)}: it is no MMBench.")
            if place:
                file.seek(place)
            begin = file.tell()
            for row in cells:
                yield begin, dict(zip(header, row, strict=False))
                begin = file.tell()
    except FileNotFoundError as error:
        raise NoInputError(f"{path} is missing: fetch MMBench's table.") from error
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path} is damaged ({error}): fetch it again.") from error


def _lines(file: BinaryIO) -> Iterator[str]:
    """Lines one by one, so that the file always stands where the next row begins."""
    while line := file.readline():
        yield line.decode()


def _index(path: Path, row: dict[str, str]) -> int:
    try:
        return int(row["index"])
    except ValueError as error:
        raise InputError(f"{path} has a row whose index is {row['index']!r}.") from error


def _asked(index: int, row: dict[str, str], language: Language) -> QuestionRecord:
    """Cells that say nothing are empty or 'nan'."""
    told = {name: text for name, text in row.items() if text and text.lower() != "nan"}
    choices = tuple(told[letter] for letter in _CHOICES if letter in told)
    text = letter_question(row["question"], choices, told.get("hint", ""), language)
    answers = (told["answer"],) if "answer" in told else ()
    return QuestionRecord(text, str(index), answers, choices, told.get("category", ""))
