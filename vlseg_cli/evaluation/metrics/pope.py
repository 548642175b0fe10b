"""POPE: is a thing in the picture? Yes and no, with "yes" as the positive answer.

Li et al. 2023, read as LLaVA's ``eval_pope.py`` reads answers. Papers quote the mean of the F1 of
the three ways to choose the things asked for: random, popular, adversarial.
"""

from dataclasses import dataclass

_NO = {"No", "not", "no"}


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
        return _share(self.tp + self.tn, self._n)

    @property
    def precision(self) -> float | None:
        """Share of answers "yes" that are right."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """Share of things present that were answered "yes"."""
        return _share(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def yes_ratio(self) -> float | None:
        """Share of answers "yes"."""
        return _share(self.tp + self.fp, self._n)

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
        """The scores over everything that came, categories in alphabetical order."""
        scores = {category: PopeScore(*counts) for category, counts in sorted(self._counts.items())}
        values = [score.f1 for score in scores.values()]
        known = [value for value in values if value is not None]
        mean = sum(known) / len(known) if known and len(known) == len(values) else None
        return PopeResult(mean, scores)


def says_yes(answer: str) -> bool:
    """True unless the first sentence has one of the words No, not, no ("Nope" is a yes)."""
    words = answer.split(".")[0].replace(",", "").split(" ")
    return _NO.isdisjoint(words)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
