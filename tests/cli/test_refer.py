"""`vlseg refer` and `vlseg reason` with the embedded model, and with one of another system."""

from pathlib import Path

import numpy as np
from pycocotools.coco import COCO

from vlseg_cli.models.registry import build_trainable
from vlseg_cli.schema import decode_rle
from vlseg_cli.training.vocabulary import synthetic_vocabulary

EXAMPLES = Path(__file__).parents[2] / "examples"
SELF1E = {
    "image_size": 64,
    "patch_size": 8,
    "vision_channels": 16,
    "vision_layers": 1,
    "vision_heads": 1,
    "vision_feedforward": 16,
    "language_channels": 16,
    "language_layers": 2,
    "language_heads": 1,
    "language_kv_heads": 1,
    "language_head_channels": 16,
    "language_feedforward": 16,
}


def test_one_record_per_expression(vlseg, kitchen: Path) -> None:
    ran = vlseg("refer", "kitchen.png", "-t", "the sky", "-t", "the house", "--json")
    assert ran.code == 0
    assert [record["prompt"] for record in ran.records] == ["the sky", "the house"]
    assert all(record["task"] == "refer" for record in ran.records)
    assert all(len(record["segments"]) <= 1 for record in ran.records)


def test_a_threshold_of_one_leaves_nothing(vlseg, kitchen: Path) -> None:
    ran = vlseg("refer", "kitchen.png", "the sky", "--threshold", "1", "--json")
    assert ran.records[0]["segments"] == []
    assert "nothing found" in ran.err


def test_expressions_in_any_script_are_accepted(vlseg, kitchen: Path) -> None:
    ran = vlseg("refer", "kitchen.png", "der rote Becher – 杯子", "--json")
    assert ran.code == 0
    assert ran.records[0]["prompt"] == "der rote Becher – 杯子"


def test_a_saved_self1e_runs_refer_and_reason(vlseg, kitchen: Path, tmp_path: Path) -> None:
    build_trainable("self1e", synthetic_vocabulary(), SELF1E).save(tmp_path / "tiny", "# A card\n")
    for command, words in (("refer", "the cup"), ("reason", "what keeps food cold?")):
        ran = vlseg(command, "kitchen.png", words, "--model", "tiny", "--json", "--out", command)
        assert ran.code == 0
        (record,) = ran.records
        assert (record["prompt"], record["task"]) == (words, command)
    ran = vlseg("segment", "kitchen.png", "--model", "tiny", "--categories", "cup", "--out", "x")
    assert ran.code != 0 and "not for panoptic" in ran.err


def test_the_fridge_is_segmented(vlseg) -> None:
    image = EXAMPLES / "kitchen.png"
    ran = vlseg("reason", image, "what keeps food cold?", "--json")
    assert ran.code == 0
    (record,) = ran.records
    assert (record["task"], record["prompt"]) == ("reason", "what keeps food cold?")
    predicted = decode_rle(record["segments"][0]["segmentation"])
    truth = COCO(EXAMPLES / "kitchen.json")
    fridges = truth.loadAnns(truth.getAnnIds(catIds=truth.getCatIds(catNms=["fridge"])))
    fridge = np.any([truth.annToMask(one) for one in fridges], axis=0)
    assert (predicted & fridge).sum() / (predicted | fridge).sum() >= 0.8


def test_several_questions_give_several_records(vlseg, kitchen: Path) -> None:
    ran = vlseg("reason", kitchen, "-t", "what flies?", "-t", "where do people live?", "--json")
    assert [record["prompt"] for record in ran.records] == ["what flies?", "where do people live?"]


def test_unknown_words_are_reported(vlseg, kitchen: Path) -> None:
    ran = vlseg("reason", kitchen, "waht keeps food cold?", "--json")
    assert ran.code == 0 and len(ran.records) == 1
    assert "does not know 'waht'" in ran.err


def test_a_prompt_longer_than_the_model_is_refused_before_the_first_image(
    vlseg, kitchen: Path, tmp_path: Path
) -> None:
    ran = vlseg("reason", kitchen, "what flies " * 9_000, "--out", tmp_path / "out")
    assert ran.code == 2
    assert "has 18,000 tokens" in ran.err and "shorten it" in ran.err
    assert not list((tmp_path / "out").glob("*.jsonl"))
