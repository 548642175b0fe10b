"""What only a server can score: answers are counted, the number stays open."""

from collections.abc import Sequence

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.scores.score import Result
from vlseg_cli.schema import ClipSample, Prediction


class HiddenScore:
    """A measure that nobody here can know."""

    def __init__(self, measure: str) -> None:
        self._measure = measure

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> list[Case]:  # noqa: ARG002
        """See ``Score``."""
        return []

    def result(self) -> Result:
        """See ``Score``."""
        return Result({self._measure: None}, 0)
