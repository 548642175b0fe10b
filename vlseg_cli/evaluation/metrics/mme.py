"""MME: yes-or-no questions in pairs about one picture, scored in points up to 200 per task.

Fu et al. 2023, ``eval_tool/calculation.py``: accuracy of the questions plus accuracy of the
pictures whose questions are all right, times 100. Papers quote the sum over the tasks.
"""

from dataclasses import dataclass

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
    """Points of every task that was asked, and their sums: at most 2000 and 800."""

    tasks: dict[str, float]
    perception: float
    cognition: float

    @property
    def total(self) -> float:
        """Perception and cognition together."""
        return self.perception + self.cognition


class MME:
    """Answers by task and picture; the questions of a picture may come at any time."""

    def __init__(self) -> None:
        self._answers: dict[str, dict[str, list[int]]] = {}  # task, picture: asked, right

    def add(self, task: str, picture: str, answer: str, truth: str) -> bool:
        """Count one answer; truth is 'yes' or 'no' in any case. Returns whether it is right."""
        correct = yes_or_no(answer) == truth.lower()
        counts = self._answers.setdefault(task, {}).setdefault(picture, [0, 0])
        counts[0] += 1
        counts[1] += correct
        return correct

    def merge(self, other: "MME") -> None:
        """Take over all answers of another meter."""
        for task, pictures in other._answers.items():
            for picture, (asked, right) in pictures.items():
                counts = self._answers.setdefault(task, {}).setdefault(picture, [0, 0])
                counts[0] += asked
                counts[1] += right

    def result(self) -> MMEResult:
        """The points over everything that came."""
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


def _points(pictures: list[list[int]]) -> float:
    asked, right = (sum(counts[i] for counts in pictures) for i in (0, 1))
    whole = sum(counts[0] == counts[1] for counts in pictures)
    return 100 * right / asked + 100 * whole / len(pictures)
