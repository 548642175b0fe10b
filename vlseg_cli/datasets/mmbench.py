"""MMBench (Liu et al. 2023): multiple choice, every question in all rotations of its choices.

A tab-separated table with base64 images; a rotation of question n has the index n + k · 1,000,000.
Tables have hundreds of megabytes, so images are read on access.
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
from vlseg_cli.schema.files import open_regular

_ROTATION = 1_000_000
_LONGEST_CELL = 1 << 28  # characters: an image is one cell
_CHOICES = LETTERS[:4]


class _Question(NamedTuple):
    """Byte offset of the row with the image, and all rotations."""

    offset: int
    rotations: list[QuestionRecord]


class MMBenchDataset:
    """One table; a sample is a question with its rotations, a query's key the index of its row.

    A query's kind is the category, its answer the correct letter, none in test tables. language:
    of the instruction. Raises NoInputError if the file is missing or empty, InputError if it is
    damaged.
    """

    def __init__(self, path: Path, *, language: Language = "en") -> None:
        self._path = path
        self._questions: dict[int, _Question] = {}
        for offset, row in _rows(path):
            index = _index(path, row)
            question = self._questions.setdefault(index % _ROTATION, _Question(offset, []))
            question.rotations.append(_record(index, row, language))
        if not self._questions:
            raise NoInputError(f"{path} has no rows: fetch it again.")
        self._indices = list(self._questions)

    def __len__(self) -> int:
        return len(self._indices)

    def source(self, number: int) -> str:
        """TABLE:INDEX of the question."""
        return f"{self._path}:{self._indices[number]}"

    def __getitem__(self, number: int) -> Sample:
        """Read an image and its rotated questions. Raises InputError if it is damaged."""
        offset, rotations = self._questions[self._indices[number]]
        _, row = next(_rows(self._path, offset))
        other = row["image"]
        if (
            other.isdecimal() and int(other) % _ROTATION in self._questions
        ):  # the row with the image
            _, row = next(_rows(self._path, self._questions[int(other) % _ROTATION].offset))
        try:
            data = base64.b64decode(row["image"], validate=True)
        except binascii.Error as error:
            raise InputError(f"{self.source(number)} has no image ({error}).") from error
        return question_sample(decode_image(data, self.source(number)), rotations)


def _rows(path: Path, offset: int = 0) -> Iterator[tuple[int, dict[str, str]]]:
    """Byte offset and cells by column of each row, from the row at ``offset`` on (0: the first)."""
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with open_regular(path, None) as file:
            rows = csv.reader(_lines(file), delimiter="\t")
            header = next(rows, [])
            if missing := {"index", "question", "image", *_CHOICES[:2]} - set(header):
                raise InputError(f"{path} has no columns {sorted(missing)}: it is not MMBench's.")
            if offset:
                file.seek(offset)
            begin = file.tell()
            for row in rows:
                yield begin, dict(zip(header, row, strict=False))
                begin = file.tell()
    except FileNotFoundError as error:
        raise NoInputError(f"{path} is missing: fetch MMBench's table.") from error
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path} is damaged ({error}): fetch it again.") from error


def _lines(file: BinaryIO) -> Iterator[str]:
    """Lines read one by one, so that the file's position is the next row."""
    while line := file.readline():
        yield line.decode()


def _index(path: Path, row: dict[str, str]) -> int:
    try:
        return int(row["index"])
    except ValueError as error:
        raise InputError(f"{path} has a row whose index is {row['index']!r}.") from error


def _record(index: int, row: dict[str, str], language: Language) -> QuestionRecord:
    """Missing cells are empty or 'nan'."""
    cells = {name: text for name, text in row.items() if text and text.lower() != "nan"}
    choices = tuple(cells[letter] for letter in _CHOICES if letter in cells)
    text = letter_question(row["question"], choices, cells.get("hint", ""), language)
    answers = (cells["answer"],) if "answer" in cells else ()
    return QuestionRecord(text, str(index), answers, choices, cells.get("category", ""))
