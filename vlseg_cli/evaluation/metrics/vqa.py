"""VQA accuracy against ten people's answers: an answer is right as far as three of them gave it.

Antol et al. 2015: min(1, matches / 3), averaged over the ten ways to leave one person out. The two
evaluators in use differ only in how they rewrite answers (``vqa_words``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from vlseg_cli.evaluation.metrics.exact import ExactSum
from vlseg_cli.evaluation.metrics.vqa_words import (
    m4c_words,
    plain_words,
    single_line,
    strip_punctuation,
)
from vlseg_cli.schema import InputError

_PEOPLE = 10
_ENOUGH = 3  # people who make an answer fully right


@dataclass(frozen=True, slots=True)
class VQAResult:
    """Accuracy in [0, 1] over ``n`` questions; None if there were none."""

    accuracy: float | None
    n: int


class VQAAccuracy:
    """VQAv2 as its own API scores it (GT-Vision-Lab/VQA, ``vqaEval.py``).

    Answers are rewritten only where people disagree; where all gave the same, the match is literal.
    """

    def __init__(self) -> None:
        self._scores = ExactSum()

    def add(self, answer: str, truths: Sequence[str]) -> float:
        """Count one answer to a question that people answered with ``truths``; returns its score.

        Raises InputError if there is no true answer.
        """
        _check(truths, least=1)
        answer, people = single_line(answer), [single_line(truth) for truth in truths]
        if len(set(people)) > 1:
            answer, *people = (plain_words(strip_punctuation(one)) for one in (answer, *people))
        score = _left_out(answer, people)
        self._scores.add(score)
        return float(score)

    def merge(self, other: "VQAAccuracy") -> None:
        """Take over all questions of another meter."""
        self._scores.merge(other._scores)

    def result(self) -> VQAResult:
        """The accuracy over everything that came."""
        return VQAResult(self._scores.mean, self._scores.count)


@dataclass(frozen=True, slots=True)
class SoftResult:
    """Shares in [0, 1] over ``n`` questions; None if there were none.

    accuracy: the soft score. any_match: questions where at least one person gave the answer, which
    is the accuracy of ST-VQA.
    """

    accuracy: float | None
    any_match: float | None
    n: int


class SoftAccuracy:
    """TextVQA, OKVQA, VizWiz and VQAv2 as M4C's evaluator scores them (LLaVA, InternVL, HyperSeg).

    LLaVA's ``m4c_evaluator.py``: every answer is rewritten, and people must be ten. VizWiz's
    "unanswerable" is a word like any other.
    """

    def __init__(self) -> None:
        self._scores = ExactSum()
        self._matched = 0

    def add(self, answer: str, truths: Sequence[str]) -> float:
        """Count one answer to a question that ten people answered; returns its score.

        Raises InputError if there are not ten true answers.
        """
        _check(truths, least=_PEOPLE)
        answer, people = m4c_words(answer), [m4c_words(truth) for truth in truths]
        score = _left_out(answer, people)
        self._matched += answer in people
        self._scores.add(score)
        return float(score)

    def merge(self, other: "SoftAccuracy") -> None:
        """Take over all questions of another meter."""
        self._scores.merge(other._scores)
        self._matched += other._matched

    def result(self) -> SoftResult:
        """The shares over everything that came."""
        n = self._scores.count
        return SoftResult(self._scores.mean, self._matched / n if n else None, n)


def _left_out(answer: str, people: Sequence[str]) -> Fraction:
    """Mean of min(1, matches / 3) over leaving out each person in turn, as an exact fraction."""
    matches = people.count(answer)
    leaving_match = matches * min(_ENOUGH, matches - 1)
    leaving_other = (len(people) - matches) * min(_ENOUGH, matches)
    return Fraction(leaving_match + leaving_other, _ENOUGH * len(people))


def _check(truths: Sequence[str], least: int) -> None:
    if len(truths) < least:
        raise InputError(
            f"A question has {len(truths)} true answers but VQA accuracy needs {least}: "
            "use the annotations of a split whose answers are public."
        )
