"""``vlseg schema``: what vlseg reads and writes is valid by its schemas, mistakes are not."""

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from vlseg_cli.outputs.records import record_line
from vlseg_cli.schema import Record, Task, segment_from_mask

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))


@pytest.fixture
def validator(vlseg):
    def of(kind: str) -> Draft202012Validator:
        ran = vlseg("schema", kind)
        assert ran.code == 0
        Draft202012Validator.check_schema(json.loads(ran.out))
        return Draft202012Validator(json.loads(ran.out))

    return of


def test_shipped_recipes_are_valid(validator) -> None:
    recipe = validator("recipe")
    for file in RECIPES:
        recipe.validate(tomllib.loads(file.read_text()))


@pytest.mark.parametrize(
    "change",
    [
        {"optimiser": {}},
        {"seed": -1},
        {"ema": {"decay": 1.5}},
        {"model": {}},
        {"precision": {"dtype": "bf61"}},
        {"stage": [{"name": "a", "lr": 1, "batch_size": 1, "data": "txt"}]},
    ],
)
def test_mistakes_in_a_recipe_are_not(validator, change: dict[str, Any]) -> None:
    table = tomllib.loads(RECIPES[0].read_text())
    assert not validator("recipe").is_valid(table | change)


def test_rows_of_a_prompts_file(validator) -> None:
    row = validator("prompts")
    for valid in (
        {"input": "a.png", "text": "the cup", "task": "reason"},
        {"input": "a.png", "categories": ["cup", "sky"]},
        {"input": "a.png", "categories": "cup, sky"},
        {"input": "a.png", "regions": "box 1,2,3,4", "at": 3},
        {"input": "a.png", "regions": [{"box": [1, 2, 3, 4]}, {"mask": "m.png"}]},
        {"input": "a.png", "regions": [{"scribble": [[1, 2], [3.5, 4]]}]},
    ):
        row.validate(valid)
    for wrong in (
        {"text": "the cup"},
        {"input": "a.png", "text": ""},
        {"input": "a.png", "txt": "cup"},
        {"input": "a.png", "text": "cup", "task": "refr"},
        {"input": "a.png", "regions": [{"circle": [1, 2]}]},
        {"input": "a.png", "regions": [{"point": [1, 2], "box": [1, 2, 3, 4]}]},
    ):
        assert not row.is_valid(wrong), wrong


def test_records(validator) -> None:
    mask = np.eye(4, 6, dtype=bool)
    segments = (segment_from_mask(mask, 0.5, "cup"), segment_from_mask(mask, 0.5, "cup", 1, 7))
    record = Record("a.mp4", "a", True, 3, 0.1, 6, 4, Task.RVOS, ("cup", "sky"), (1,), "", segments)
    line = json.loads(record_line(record))
    schema = validator("record")
    schema.validate(line)
    schema.validate(line | {"prompt": "the cup", "time": None})
    assert not schema.is_valid(line | {"task": "look"})
    assert not schema.is_valid({key: value for key, value in line.items() if key != "segments"})


def test_an_unknown_kind_is_one_sentence(vlseg) -> None:
    ran = vlseg("schema", "recipes")
    assert ran.code == 2 and ran.err.count("\n") == 1
