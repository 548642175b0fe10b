"""A name keeps one id, from 1 on, whatever the answers are."""

import numpy as np

from vlseg_cli.outputs.categories import CategoryTable
from vlseg_cli.schema import (
    Categories,
    Expression,
    Region,
    Regions,
    segment_from_mask,
)

MASK = np.ones((2, 2), bool)


def test_names_are_numbered_in_the_order_of_the_prompts() -> None:
    table = CategoryTable()
    table.add(Categories(("cup", "sky"), (False, True)))
    table.add(Expression("the red cup"))
    table.add(Categories(("sky", "dog")))
    assert table.records() == [
        {"id": 1, "name": "cup", "isthing": 1},
        {"id": 2, "name": "sky", "isthing": 0},
        {"id": 3, "name": "the red cup", "isthing": 1},
        {"id": 4, "name": "dog", "isthing": 1},
    ]


def test_segments_find_their_category() -> None:
    table, names = CategoryTable(), Categories(("cup", "dog"))
    table.add(names)
    assert table.id_of(names, segment_from_mask(MASK, 1, "a dog", 1)) == 2
    assert table.id_of(Expression("it"), segment_from_mask(MASK, 1, "whatever")) == 3
    region = Regions((Region("point", MASK),))
    assert table.id_of(region, segment_from_mask(MASK, 1, "point 1")) == 4
    assert table.records()[-1]["name"] == "point 1"
