"""Open questions: the accuracies of VQAv2, OKVQA, TextVQA and VizWiz, and of GQA.

``process_punctuation`` and ``process_digit_article`` of the VQA API (GT-Vision-Lab/VQA,
``vqaEval.py``) and the longer ``EvalAIAnswerProcessor`` of Pythia's M4C, which LLaVA and InternVL
use, rewrite an answer before it is compared; every odd rule here decides published numbers. GQA has
one true answer: LLaVA's ``convert_gqa_for_eval.py`` before the official ``eval.py`` (PSALM,
HyperSeg), or InternVL's own exact match (SELF1E).
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, Self

from vlseg_cli.evaluation.metrics.exact import AccuracyMeter, AccuracyResult, ExactSum
from vlseg_cli.schema import InputError

_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_THOUSANDS = re.compile(r"\d,\d")
# Meant to keep a period after a digit too, but the pattern's look-behind is mistyped; and a flag
# passed as the count stops it after 32 periods.
_PERIOD = re.compile(r"\.(?!\d)")
_PERIODS = 32

_NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DIGITS = {word: str(number) for number, word in enumerate(_NUMBERS)} | {"zero": "0"}
_ARTICLES = {"a", "an", "the"}

# Words whose apostrophe may be missing. Those with two are known with either one missing alone.
_CONTRACTIONS = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't
    haven't he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am might've mightn't
    mightn't've must've mustn't needn't not've o'clock oughtn't 'ow's'at shan't she'd've should've
    shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd someone'd've someone'll
    someone's something'd something'd've something'll that's there'd there'd've there're there's
    they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're
    what's what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're
    why's won't would've wouldn't wouldn't've y'all y'all'd've y'all'll you'd you'd've you'll
    you're you've
"""


def _misspelled(word: str) -> list[str]:
    """The word with one of its apostrophes missing."""
    return [word[:i] + word[i + 1 :] for i, letter in enumerate(word) if letter == "'"]


_RESTORED = {wrong: word for word in _CONTRACTIONS.split() for wrong in _misspelled(word)}
_RESTORED["somebody'd"] = "somebodyd"  # the table has this one the wrong way round


def strip_punctuation(text: str) -> str:
    """Drop or blank punctuation, then drop periods that no digit follows.

    A mark is deleted if the text has it beside a space, or has a number like 1,000
    anywhere; otherwise a space replaces it.
    """
    thousands = _THOUSANDS.search(text) is not None
    stripped = text
    for mark in _PUNCTUATION:
        beside_space = f"{mark} " in text or f" {mark}" in text
        stripped = stripped.replace(mark, "" if beside_space or thousands else " ")
    return _PERIOD.sub("", stripped, count=_PERIODS)


def plain_words(text: str) -> str:
    """Lower case, digits for numbers up to ten, no articles, apostrophes put back."""
    words = [_DIGITS.get(word, word) for word in text.lower().split()]
    return " ".join(_RESTORED.get(word, word) for word in words if word not in _ARTICLES)


def single_line(text: str) -> str:
    """Newlines and tabs as spaces, none at either end."""
    return text.replace("\n", " ").replace("\t", " ").strip()


def m4c_words(text: str) -> str:
    """All of M4C's processing: always applied, to answers and truths."""
    lower = text.lower().replace(",", "").replace("?", "").replace("'s", " 's")
    return plain_words(strip_punctuation(single_line(lower)))


_FULL_MARKS = 3  # annotators who make an answer fully right


class VQAAccuracy:
    """VQAv2 as its own API scores it (GT-Vision-Lab/VQA, ``vqaEval.py``).

    Answers are rewritten only where annotators disagree; where all agree the match is literal.
    """

    annotators = 1  # at least

    def __init__(self) -> None:
        self._scores = ExactSum()

    def add(self, answer: str, truths: Sequence[str]) -> float:
        """Count one answer; truths: of each annotator. Returns its score.

        Raises InputError if there are too few true answers.
        """
        if len(truths) < self.annotators:
            raise InputError(
                f"A question has {len(truths)} true answers but VQA accuracy needs"
                f" {self.annotators}: use the annotations of a split whose answers are public."
            )
        score = _left_out(*self.rewrite(answer, truths))
        self._scores.add(score)
        return float(score)

    def rewrite(self, answer: str, truths: Sequence[str]) -> tuple[str, list[str]]:
        """Both as they are compared."""
        answer, references = single_line(answer), [single_line(truth) for truth in truths]
        if len(set(references)) > 1:
            answer, *references = (
                plain_words(strip_punctuation(one)) for one in (answer, *references)
            )
        return answer, references

    def merge(self, other: Self) -> None:
        """Take over all questions of another meter."""
        self._scores.merge(other._scores)

    def result(self) -> AccuracyResult:
        """The accuracy over everything that was added."""
        return AccuracyResult(self._scores.mean, self._scores.count)


class SoftAccuracy(VQAAccuracy):
    """TextVQA, OKVQA, VizWiz and VQAv2 as M4C's evaluator scores them (LLaVA, InternVL, HyperSeg).

    LLaVA's ``m4c_evaluator.py``: every answer is rewritten, and annotators must be ten. VizWiz's
    "unanswerable" is a word like any other.
    """

    annotators = 10

    def rewrite(self, answer: str, truths: Sequence[str]) -> tuple[str, list[str]]:
        """See ``VQAAccuracy``."""
        return m4c_words(answer), [m4c_words(truth) for truth in truths]


def _left_out(answer: str, references: Sequence[str]) -> Fraction:
    """Mean of min(1, matches / 3) over leaving out each annotator in turn, as an exact fraction."""
    matches = references.count(answer)
    leaving_match = matches * min(_FULL_MARKS, matches - 1)
    leaving_other = (len(references) - matches) * min(_FULL_MARKS, matches)
    return Fraction(leaving_match + leaving_other, _FULL_MARKS * len(references))


class GQAAccuracy(AccuracyMeter):
    """tidying: 'period' drops a final period and lowers the answer alone; 'spaces' trims and lowers
    both sides.
    """

    def __init__(self, tidying: Literal["period", "spaces"] = "period") -> None:
        super().__init__()
        self._tidying = tidying

    def add(self, answer: str, truth: str) -> bool:
        """Count one answer; returns whether it is right."""
        if self._tidying == "period":
            return self.count(answer.rstrip(".").lower() == truth)
        return self.count(answer.strip().lower() == truth.strip().lower())
