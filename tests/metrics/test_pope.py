"""POPE: what is a yes, and the counts of one category by hand."""

import pytest

from vlseg_cli.evaluation.metrics.pope import Pope, says_yes


@pytest.mark.parametrize(
    ("answer", "yes"),
    [
        ("Yes", True),
        ("no", False),
        ("No, there is none.", False),
        ("NO", True),
        ("Nope", True),
        ("not sure", False),
        ("There is. No", True),
        ("", True),
    ],
)
def test_what_is_a_yes(answer: str, yes: bool) -> None:
    assert says_yes(answer) is yes


def test_scores_by_hand() -> None:
    meter = Pope()
    for answer, truth in [("yes", True), ("yes", False), ("no", False), ("no", True)]:
        meter.add("random", answer, truth)
    meter.add("random", "yes", True)
    score = meter.result().categories["random"]
    assert (score.tp, score.fp, score.tn, score.fn) == (2, 1, 1, 1)
    assert (score.accuracy, score.precision, score.recall) == (0.6, 2 / 3, 2 / 3)
    assert (score.f1, score.yes_ratio) == (pytest.approx(2 / 3), 0.6)


def test_the_mean_is_over_categories_and_needs_each() -> None:
    meter = Pope()
    assert meter.result().f1 is None
    meter.add("random", "yes", True)
    meter.add("popular", "yes", False)
    assert meter.result().f1 == 0.5
    meter.add("adversarial", "no", False)
    assert meter.result().f1 is None
