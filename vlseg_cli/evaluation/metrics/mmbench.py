"""MMBench: a question counts only if it is answered right in every rotation of its choices.

Liu et al. 2023, "circular evaluation". The test split is scored on the server; these are its rules
for splits with answers. How the letter is read off an answer differs between papers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_ROTATION = 1_000_000  # indices of a question's rotations differ by multiples of this


@dataclass(frozen=True, slots=True)
class MMBenchResult:
    """Shares in [0, 1], None if nothing came: of questions right in all rotations, of all rows."""

    circular_accuracy: float | None
    row_accuracy: float | None
    questions: int


class MMBench:
    """Letters by row index of the benchmark's table."""

    def __init__(self) -> None:
        self._rows: dict[int, list[int]] = {}  # question: rotations asked, right

    def add(self, index: int, letter: str, truth: str) -> bool:
        """Count one row's letter; returns whether it is right."""
        counts = self._rows.setdefault(index % _ROTATION, [0, 0])
        counts[0] += 1
        counts[1] += letter == truth
        return letter == truth

    def merge(self, other: "MMBench") -> None:
        """Take over all rows of another meter."""
        for question, (asked, right) in other._rows.items():
            counts = self._rows.setdefault(question, [0, 0])
            counts[0] += asked
            counts[1] += right

    def result(self) -> MMBenchResult:
        """The shares over everything that came."""
        rows = list(self._rows.values())
        if not rows:
            return MMBenchResult(None, None, 0)
        asked, right = (sum(counts[i] for counts in rows) for i in (0, 1))
        whole = sum(counts[0] == counts[1] for counts in rows)
        return MMBenchResult(whole / len(rows), right / asked, len(rows))


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
