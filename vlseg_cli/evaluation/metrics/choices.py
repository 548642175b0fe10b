"""Questions with few possible answers: MMBench and ScienceQA (letters), POPE and MME (yes or no).

MMBench (Liu et al. 2023): a question counts only if every rotation of its choices is answered
right; the test split is scored on the server by these rules. ScienceQA: the letter as LLaVA's
``eval_science_qa.py`` finds it; no letter is wrong. POPE (Li et al. 2023): is an object in the
image? "yes" is the positive answer, parsed as LLaVA's ``eval_pope.py`` does; papers quote the mean
F1 of its three ways to choose the objects. MME (Fu et al. 2023, ``eval_tool/calculation.py``):
pairs of questions about an image; accuracy of the questions plus accuracy of the images whose
questions are all right, times 100, summed over the tasks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from vlseg_cli.evaluation.metrics.exact import AccuracyMeter, GroupedAccuracy, share

_ROTATION = 1_000_000  # indices of a question's rotations differ by multiples of this
LETTERS = "ABCDE"
_STATED = re.compile(r"The answer is ([A-Z]).")  # any character may follow, as published
_NO = {"No", "not", "no"}


@dataclass(frozen=True, slots=True)
class MMBenchResult:
    """Shares in [0, 1], None without rows: of questions right in all rotations, of all rows."""

    circular_accuracy: float | None
    row_accuracy: float | None
    questions: int


class MMBench(GroupedAccuracy):
    """Letters by row index of the benchmark's table."""

    def add(self, index: int, letter: str, truth: str) -> bool:
        """Count one row's letter; returns whether it is right."""
        return self.count(index % _ROTATION, letter == truth)

    def result(self) -> MMBenchResult:
        """The shares over everything that was added."""
        rows = self.counts()
        return MMBenchResult(share(rows.whole, rows.groups), share(rows.right, rows.n), rows.groups)


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


class ScienceQA(AccuracyMeter):
    """Multiple choice with two to five choices."""

    def add(self, answer: str, truth: int, choices: int) -> bool:
        """Count one answer; truth: index of the right choice. Returns whether it is right."""
        return self.count(chosen_letter(answer) == LETTERS[truth] and truth < choices)


def chosen_letter(answer: str) -> str | None:
    """The letter alone, before ". ", or in the one sentence "The answer is X."; else None."""
    if answer[:1] in tuple(LETTERS) and answer[1:3] in ("", ". "):
        return answer[:1]
    stated = _STATED.findall(answer)
    return stated[0] if len(stated) == 1 else None


@dataclass(frozen=True, slots=True)
class PopeScore:
    """Counts of one category, and their shares in [0, 1]; a share of nothing is None."""

    tp: int
    fp: int
    tn: int
    fn: int

    @property
    def accuracy(self) -> float | None:
        """Share of right answers."""
        return share(self.tp + self.tn, self._n)

    @property
    def precision(self) -> float | None:
        """Share of answers "yes" that are right."""
        return share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """Share of things present that were answered "yes"."""
        return share(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        return share(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def yes_ratio(self) -> float | None:
        """Share of answers "yes"."""
        return share(self.tp + self.fp, self._n)

    @property
    def _n(self) -> int:
        return self.tp + self.fp + self.tn + self.fn


@dataclass(frozen=True, slots=True)
class PopeResult:
    """f1: mean over the categories, in [0, 1]; None unless every one has an F1."""

    f1: float | None
    categories: dict[str, PopeScore]


class Pope:
    """Yes-or-no answers by category ('random', 'popular', 'adversarial')."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}  # tp, fp, tn, fn

    def add(self, category: str, answer: str, truth: bool) -> bool:
        """Count one answer; truth: the thing is there. Returns whether the answer is right."""
        yes = says_yes(answer)
        outcome = {(True, True): 0, (True, False): 1, (False, False): 2, (False, True): 3}
        self._counts.setdefault(category, [0, 0, 0, 0])[outcome[yes, truth]] += 1
        return yes == truth

    def merge(self, other: "Pope") -> None:
        """Take over all answers of another meter."""
        for category, counts in other._counts.items():
            mine = self._counts.setdefault(category, [0, 0, 0, 0])
            mine[:] = [one + another for one, another in zip(mine, counts, strict=True)]

    def result(self) -> PopeResult:
        """The scores over everything that was added, categories in alphabetical order."""
        scores = {category: PopeScore(*counts) for category, counts in sorted(self._counts.items())}
        values = [score.f1 for score in scores.values()]
        known = [value for value in values if value is not None]
        mean = sum(known) / len(known) if known and len(known) == len(values) else None
        return PopeResult(mean, scores)


def says_yes(answer: str) -> bool:
    """True unless the first sentence has one of the words No, not, no ("Nope" is a yes)."""
    words = answer.split(".")[0].replace(",", "").split(" ")
    return _NO.isdisjoint(words)


PERCEPTION = (
    "existence",
    "count",
    "position",
    "color",
    "posters",
    "celebrity",
    "scene",
    "landmark",
    "artwork",
    "OCR",
)
COGNITION = (
    "commonsense_reasoning",
    "numerical_calculation",
    "text_translation",
    "code_reasoning",
)


@dataclass(frozen=True, slots=True)
class MMEResult:
    """Points of every task with questions, and their sums: at most 2000 and 800."""

    tasks: dict[str, float]
    perception: float
    cognition: float

    @property
    def total(self) -> float:
        """Perception and cognition together."""
        return self.perception + self.cognition


class MME:
    """Answers by task and image; the questions of an image may come at any time."""

    def __init__(self) -> None:
        self._tasks: dict[str, GroupedAccuracy] = {}

    def add(self, task: str, image: str, answer: str, truth: str) -> bool:
        """Count one answer; truth is 'yes' or 'no' in any case. Returns whether it is right."""
        meter = self._tasks.setdefault(task, GroupedAccuracy())
        return meter.count(image, yes_or_no(answer) == truth.lower())

    def merge(self, other: "MME") -> None:
        """Take over all answers of another meter."""
        for task, meter in other._tasks.items():
            self._tasks.setdefault(task, GroupedAccuracy()).merge(meter)

    def result(self) -> MMEResult:
        """The points over everything that was added."""
        tasks = {
            task: 100 * found.right / found.n + 100 * found.whole / found.groups
            for task in (*PERCEPTION, *COGNITION)
            if task in self._tasks
            for found in [self._tasks[task].counts()]
        }
        return MMEResult(
            tasks=tasks,
            perception=sum(tasks.get(task, 0.0) for task in PERCEPTION),
            cognition=sum(tasks.get(task, 0.0) for task in COGNITION),
        )


def yes_or_no(answer: str) -> str | None:
    """'yes' or 'no' if the first four characters contain it, yes first; else None."""
    start = answer.lower()[:4]
    return next((word for word in ("yes", "no") if word in start), None)
