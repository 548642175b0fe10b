"""`vlseg reason` with the embedded model: the first command of the README."""

from pathlib import Path

import numpy as np
from pycocotools.coco import COCO

from vlseg_cli.schema import decode_rle

EXAMPLES = Path(__file__).parents[2] / "examples"


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
    ran = vlseg("reason", kitchen, "-q", "what flies?", "-q", "where do people live?", "--json")
    assert [record["prompt"] for record in ran.records] == ["what flies?", "where do people live?"]


def test_unknown_words_are_reported(vlseg, kitchen: Path) -> None:
    ran = vlseg("reason", kitchen, "waht keeps food cold?", "--json")
    assert ran.code == 0 and len(ran.records) == 1
    assert "does not know 'waht'" in ran.err
