"""Questions answered by yes or no: POPE's F1 and MME's points.

POPE (Li et al. 2023): is an object in the image? "yes" is the positive answer, parsed as LLaVA's
``eval_pope.py`` does. Papers quote the mean F1 of its three ways to choose the objects: random,
popular, adversarial. MME (Fu et al. 2023, ``eval_tool/calculation.py``): pairs of questions about
an image; accuracy of the questions plus accuracy of the images whose questions are all right, times
100, up to 200 per task. Papers quote the sum over the tasks.
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


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


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
        self._answers: dict[str, dict[str, list[int]]] = {}  # task, image: total, right

    def add(self, task: str, image: str, answer: str, truth: str) -> bool:
        """Count one answer; truth is 'yes' or 'no' in any case. Returns whether it is right."""
        correct = yes_or_no(answer) == truth.lower()
        counts = self._answers.setdefault(task, {}).setdefault(image, [0, 0])
        counts[0] += 1
        counts[1] += correct
        return correct

    def merge(self, other: "MME") -> None:
        """Take over all answers of another meter."""
        for task, images in other._answers.items():
            for image, (total, right) in images.items():
                counts = self._answers.setdefault(task, {}).setdefault(image, [0, 0])
                counts[0] += total
                counts[1] += right

    def result(self) -> MMEResult:
        """The points over everything that was added."""
        tasks = {
            task: _points(list(self._answers[task].values()))
            for task in (*PERCEPTION, *COGNITION)
            if task in self._answers
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


def _points(images: list[list[int]]) -> float:
    total, right = (sum(counts[i] for counts in images) for i in (0, 1))
    whole = sum(counts[0] == counts[1] for counts in images)
    return 100 * right / total + 100 * whole / len(images)
