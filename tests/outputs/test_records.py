"""The JSON record holds exactly the documented keys, in values that any reader takes."""

import dataclasses
import json

import numpy as np

from vlseg_cli.outputs.records import prompt_words, record_line
from vlseg_cli.schema import Expression, Prediction, Region, Regions, decode_rle


def test_record_of_a_question(reason: Prediction) -> None:
    record = json.loads(record_line(reason))
    segment = record["segments"][0]
    mask = decode_rle(segment.pop("segmentation"))
    assert (mask.shape, mask.sum()) == ((60, 80), 1200)
    assert record == {
        "input": "rooms/kitchen.png",
        "frame": 0,
        "width": 80,
        "height": 60,
        "task": "reason",
        "prompt": "what keeps food cold?",
        "text": "the fridge",
        "segments": [
            {
                "bbox": [5.0, 6.0, 30.0, 40.0],
                "area": 1200,
                "score": 0.875,
                "label": "what keeps food cold?",
                "category_id": None,
            }
        ],
    }


def test_category_ids_index_the_prompt(panoptic: Prediction) -> None:
    record = json.loads(record_line(panoptic))
    assert record["prompt"] == ["cup", "sky", "table"]
    for segment in record["segments"]:
        assert record["prompt"][segment["category_id"]] == segment["label"]


def test_the_prompt_is_put_in_words() -> None:
    mask = np.ones((2, 2), bool)
    assert prompt_words(Expression("the red car")) == "the red car"
    assert prompt_words(Regions((Region("point", mask), Region("box", mask)))) == ["point", "box"]


def test_a_name_that_is_no_text_makes_valid_json(reason: Prediction) -> None:
    line = record_line(dataclasses.replace(reason, source="caf\udce9\n.png"))
    assert line.isascii() and "\n" not in line
    assert json.loads(line)["input"] == "caf\udce9\n.png"
