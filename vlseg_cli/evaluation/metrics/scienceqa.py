"""ScienceQA accuracy: the letter of a choice, found in the answer as LLaVA finds it.

``llava/eval/eval_science_qa.py``. An answer without a letter is wrong. The papers quote the share
over questions with a picture (IMG accuracy).
"""

import re
from dataclasses import dataclass

LETTERS = "ABCDE"
_STATED = re.compile(r"The answer is ([A-Z]).")  # any character may follow, as published


@dataclass(frozen=True, slots=True)
class ScienceQAResult:
    """Accuracies in [0, 1] over all ``n`` questions and over those with a picture."""

    accuracy: float | None
    image_accuracy: float | None
    correct: int
    n: int


class ScienceQA:
    """Multiple choice with two to five choices."""

    def __init__(self) -> None:
        self._n = [0, 0]  # without and with a picture
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
        """The accuracies over everything that came."""
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
