"""GQA's two ways to tidy an answer."""

import pytest

from vlseg_cli.evaluation.metrics.gqa import GQAAccuracy


@pytest.mark.parametrize(
    ("answer", "period", "spaces"),
    [
        ("Left.", True, False),
        (" left ", False, True),
        ("LEFT", True, True),
        ("right", False, False),
    ],
)
def test_what_counts_as_the_same(answer: str, period: bool, spaces: bool) -> None:
    assert GQAAccuracy().add(answer, "left") is period
    assert GQAAccuracy("spaces").add(answer, "left") is spaces


def test_nothing_asked_has_no_score() -> None:
    assert GQAAccuracy().result().accuracy is None
