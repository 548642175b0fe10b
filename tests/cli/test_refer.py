"""`vlseg refer` with the embedded model."""

from pathlib import Path


def test_one_answer_per_expression(vlseg, kitchen: Path) -> None:
    ran = vlseg("refer", "kitchen.png", "-q", "the sky", "-q", "the house", "--json")
    assert ran.code == 0
    assert [record["prompt"] for record in ran.records] == ["the sky", "the house"]
    assert all(record["task"] == "refer" for record in ran.records)
    assert all(len(record["segments"]) <= 1 for record in ran.records)


def test_a_threshold_of_one_leaves_nothing(vlseg, kitchen: Path) -> None:
    ran = vlseg("refer", "kitchen.png", "the sky", "--threshold", "1", "--json")
    assert ran.records[0]["segments"] == []
    assert "nothing found" in ran.err


def test_sentences_in_any_script_are_taken(vlseg, kitchen: Path) -> None:
    ran = vlseg("refer", "kitchen.png", "der rote Becher – 杯子", "--json")
    assert ran.code == 0
    assert ran.records[0]["prompt"] == "der rote Becher – 杯子"
