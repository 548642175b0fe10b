"""A name keeps one id, from 1 on, whatever the answers are."""

from dataclasses import replace

import numpy as np
import pytest
from outputs.answers import record

from vlseg_cli.outputs.categories import CategoryTable
from vlseg_cli.schema import Task, segment_from_mask

MASK = np.ones((2, 2), bool)


def test_names_are_numbered_in_the_order_of_the_prompts() -> None:
    table = CategoryTable()
    table.add(replace(record(MASK, prompt=("cup", "sky")), stuff=(1,)))
    table.add(record(MASK, prompt="the red cup"))
    table.add(record(MASK, prompt=("sky", "dog")))
    assert list(table.records()) == [
        {"id": 1, "name": "cup", "isthing": 1},
        {"id": 2, "name": "sky", "isthing": 0},
        {"id": 3, "name": "the red cup", "isthing": 1},
        {"id": 4, "name": "dog", "isthing": 1},
    ]


def test_segments_find_their_category() -> None:
    table, names = CategoryTable(), record(MASK, prompt=("cup", "dog"))
    table.add(names)
    assert table.id_of(names, segment_from_mask(MASK, 1, "a dog", 1)) == 2
    assert table.id_of(record(MASK, prompt="it"), segment_from_mask(MASK, 1, "whatever")) == 3


@pytest.mark.parametrize("task", [Task.INTERACTIVE, Task.VOS])
def test_regions_are_named_by_their_answers(task: Task) -> None:
    table = CategoryTable()
    segments = (segment_from_mask(MASK, 1, "point 1"), segment_from_mask(MASK, 1, "box 2"))
    asked = replace(record(MASK), task=task, prompt=("point", "box"), segments=segments)
    table.add(asked)
    assert [one["name"] for one in table.records()] == ["point 1", "box 2"]
    assert table.id_of(asked, segments[1]) == 2
