"""Text answers: each set's own accuracy. Questions without a public answer are not counted."""

from collections.abc import Callable, Mapping
from typing import Any

from vlseg_cli.datasets.questions import LETTERS
from vlseg_cli.evaluation.metrics.choices import MME, MMBench, Pope, ScienceQA
from vlseg_cli.evaluation.scorers.base import QueryScorer, Result, percent
from vlseg_cli.schema import Prediction, Query

ReadLetter = Callable[[str, Mapping[str, str]], str]


class TextAnswerScorer(QueryScorer):
    """The accuracy of answers that have one true answer, as GQA's.

    meter: of ``metrics``; ``add`` takes an answer and its truth.
    """

    measure = "right"

    def __init__(self, meter: Any) -> None:
        super().__init__()
        self._meter = meter

    def count(self, query: Query, prediction: Prediction) -> float | None:
        """See ``QueryScorer``."""
        return float(self.score(query, prediction.text)) if query.answers else None

    def score(self, query: Query, answer: str) -> float:
        """Count one answer; returns its score in [0, 1]."""
        return float(self._meter.add(answer, query.answers[0]))

    def result(self) -> Result:
        """See ``Scorer``."""
        return Result({"accuracy": percent(self._meter.result().accuracy)}, self.n)


class VQAScorer(TextAnswerScorer):
    """VQAv2, OKVQA, TextVQA, VizWiz: full marks where three of ten annotators agree."""

    def score(self, query: Query, answer: str) -> float:
        """See ``TextAnswerScorer``."""
        return float(self._meter.add(answer, query.answers))


class PopeScorer(TextAnswerScorer):
    """POPE: mean F1 of the three categories."""

    def __init__(self) -> None:
        super().__init__(Pope())

    def score(self, query: Query, answer: str) -> float:
        """See ``TextAnswerScorer``."""
        return float(self._meter.add(query.kind, answer, query.answers[0] == "yes"))

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self._meter.result()
        scores = found.categories.items()
        groups = {
            "F1 by category": {name: percent(one.f1) for name, one in scores},
            "accuracy by category": {name: percent(one.accuracy) for name, one in scores},
            "share of yes by category": {name: percent(one.yes_ratio) for name, one in scores},
        }
        return Result({"F1": percent(found.f1)}, self.n, groups)


class MMBenchScorer(TextAnswerScorer):
    """MMBench: right in all rotations. read: how a letter is parsed from an answer."""

    def __init__(self, read: ReadLetter) -> None:
        super().__init__(MMBench())
        self._read = read

    def score(self, query: Query, answer: str) -> float:
        """See ``TextAnswerScorer``."""
        letter = self._read(answer, lettered(query))
        return float(self._meter.add(int(query.key), letter, query.answers[0]))

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self._meter.result()
        accuracy, rows = percent(found.circular_accuracy), percent(found.row_accuracy)
        return Result({"accuracy": accuracy, "row accuracy": rows}, found.questions)


class ScienceQAScorer(TextAnswerScorer):
    """ScienceQA: the letter of the right choice, over questions with an image."""

    def __init__(self) -> None:
        super().__init__(ScienceQA())

    def score(self, query: Query, answer: str) -> float:
        """See ``TextAnswerScorer``."""
        truth = LETTERS.index(query.answers[0])
        return float(self._meter.add(answer, truth, len(query.choices)))


class MMEScorer(TextAnswerScorer):
    """MME: points of the fourteen tasks."""

    def __init__(self) -> None:
        super().__init__(MME())

    def score(self, query: Query, answer: str) -> float:
        """See ``TextAnswerScorer``."""
        return float(self._meter.add(query.kind, query.key, answer, query.answers[0]))

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self._meter.result()
        points = {"score": found.total, "perception": found.perception}
        return Result({**points, "cognition": found.cognition}, self.n, {"points": found.tasks})


def lettered(query: Query) -> dict[str, str]:
    """The choices of a question by letter."""
    return dict(zip(LETTERS, query.choices, strict=False))
