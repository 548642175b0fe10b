"""VQA accuracy by hand: leaving one person out, unanimous people, too few of them."""

import pytest

from vlseg_cli.evaluation.metrics.vqa import SoftAccuracy, VQAAccuracy
from vlseg_cli.schema import InputError


@pytest.mark.parametrize(
    ("matches", "score"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (10, 1)]
)
def test_people_who_agree(matches: int, score: float) -> None:
    people = ["cat"] * matches + [f"dog {n}" for n in range(10 - matches)]
    assert VQAAccuracy().add("cat", people) == score
    assert SoftAccuracy().add("cat", people) == score


def test_unanimous_people_are_matched_literally_by_the_vqa_api_alone() -> None:
    assert VQAAccuracy().add("YES", ["yes"] * 10) == 0
    assert VQAAccuracy().add(" yes\n", ["yes"] * 10) == 1
    assert VQAAccuracy().add("YES", ["yes"] * 9 + ["no"]) == 1
    assert SoftAccuracy().add("YES", ["yes"] * 10) == 1


def test_results() -> None:
    soft = SoftAccuracy()
    soft.add("cat", ["cat"] + ["dog"] * 9)
    soft.add("cow", ["dog"] * 10)
    assert (soft.result().accuracy, soft.result().any_match, soft.result().n) == (0.15, 0.5, 2)
    assert VQAAccuracy().result().accuracy is None
    assert SoftAccuracy().result().any_match is None


def test_too_few_people_are_an_error() -> None:
    with pytest.raises(InputError, match="needs 10"):
        SoftAccuracy().add("cat", ["cat"] * 9)
    with pytest.raises(InputError, match="needs 1"):
        VQAAccuracy().add("cat", [])
    assert VQAAccuracy().add("cat", ["cat"]) == 0  # nobody is left to agree
