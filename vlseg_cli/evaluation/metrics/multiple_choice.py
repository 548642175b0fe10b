"""Questions with lettered choices: MMBench's circular accuracy and ScienceQA's accuracy.

MMBench (Liu et al. 2023): a question counts only if every rotation of its choices is answered
right. The test split is scored on the server; these are its rules for splits with answers. Papers
parse the letter in different ways. ScienceQA: the letter as LLaVA's ``eval_science_qa.py`` finds
it; no letter is wrong. Papers quote the accuracy over questions with an image (IMG).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ROTATION = 1_000_000  # indices of a question's rotations differ by multiples of this


@dataclass(frozen=True, slots=True)
class MMBenchResult:
    """Shares in [0, 1], None without rows: of questions right in all rotations, of all rows."""

    circular_accuracy: float | None
    row_accuracy: float | None
    questions: int


class MMBench:
    """Letters by row index of the benchmark's table."""

    def __init__(self) -> None:
        self._rows: dict[int, list[int]] = {}  # question: rotations total, right

    def add(self, index: int, letter: str, truth: str) -> bool:
        """Count one row's letter; returns whether it is right."""
        counts = self._rows.setdefault(index % _ROTATION, [0, 0])
        counts[0] += 1
        counts[1] += letter == truth
        return letter == truth

    def merge(self, other: "MMBench") -> None:
        """Take over all rows of another meter."""
        for question, (total, right) in other._rows.items():
            counts = self._rows.setdefault(question, [0, 0])
            counts[0] += total
            counts[1] += right

    def result(self) -> MMBenchResult:
        """The shares over everything that was added."""
        rows = list(self._rows.values())
        if not rows:
            return MMBenchResult(None, None, 0)
        total, right = (sum(counts[i] for counts in rows) for i in (0, 1))
        whole = sum(counts[0] == counts[1] for counts in rows)
        return MMBenchResult(whole / len(rows), right / total, len(rows))


def letter_or_first(answer: str, choices: Mapping[str, str]) -> str:
    """HyperSeg's reading: the answer if it is a choice's letter, else its first character if that
    is one, else A. choices: letter to text.
    """
    if answer in choices:
        return answer
    return answer[:1] if answer[:1] in choices else "A"


def letter_or_text(answer: str, choices: Mapping[str, str]) -> str:
    """InternVL's reading: a single character as it is, else the first character if it is a letter
    of a choice, else the first choice whose text occurs, else the answer itself.
    """
    answer = answer.strip()
    if len(answer) == 1 or not answer:
        return answer
    if answer[0] in choices:
        return answer[0]
    return next((letter for letter, text in choices.items() if text in answer), answer)


LETTERS = "ABCDE"
_STATED = re.compile(r"The answer is ([A-Z]).")  # any character may follow, as published


@dataclass(frozen=True, slots=True)
class ScienceQAResult:
    """Accuracies in [0, 1] over all ``n`` questions and over those with an image."""

    accuracy: float | None
    image_accuracy: float | None
    correct: int
    n: int


class ScienceQA:
    """Multiple choice with two to five choices."""

    def __init__(self) -> None:
        self._n = [0, 0]  # without and with an image
        self._correct = [0, 0]

    def add(self, answer: str, truth: int, choices: int, has_image: bool) -> bool:
        """Count one answer; truth: index of the right choice. Returns whether it is right."""
        correct = chosen_letter(answer) == LETTERS[truth] and truth < choices
        self._n[has_image] += 1
        self._correct[has_image] += correct
        return correct

    def merge(self, other: "ScienceQA") -> None:
        """Take over all questions of another meter."""
        for kind in (0, 1):
            self._n[kind] += other._n[kind]
            self._correct[kind] += other._correct[kind]

    def result(self) -> ScienceQAResult:
        """The accuracies over everything that was added."""
        n, correct = sum(self._n), sum(self._correct)
        return ScienceQAResult(
            accuracy=correct / n if n else None,
            image_accuracy=self._correct[1] / self._n[1] if self._n[1] else None,
            correct=correct,
            n=n,
        )


def chosen_letter(answer: str) -> str | None:
    """The letter alone, before ". ", or in the one sentence "The answer is X."; else None."""
    if answer[:1] in tuple(LETTERS) and answer[1:3] in ("", ". "):
        return answer[:1]
    stated = _STATED.findall(answer)
    return stated[0] if len(stated) == 1 else None
