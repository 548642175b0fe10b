"""Relations hold only where they are clear, and fail only where that is clear too."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.synthetic.language.relations import RELATIONS, Holds
from vlseg_cli.synthetic.scene import SceneItem

SIDE = 100


def item(
    number: int, x: int, y: int, wide: int = 10, tall: int = 10, on: int | None = None
) -> SceneItem:
    """A thing whose box has its top left corner at (x, y)."""
    box = (x, y, x + wide, y + tall)
    center = (x + wide / 2, y + tall / 2)
    return SceneItem(number, "cup", True, "red", box, center, wide * tall, 10.0, on)


ITEMS = st.builds(item, st.just(1), st.integers(0, 90), st.integers(0, 90))


@settings(max_examples=100, deadline=None)
@given(ITEMS, ITEMS)
def test_opposite_relations_never_hold_together(a: SceneItem, b: SceneItem) -> None:
    for one, other in (("left of", "right of"), ("above", "below")):
        both = {RELATIONS[one](a, b, SIDE), RELATIONS[other](a, b, SIDE)}
        assert both != {Holds.YES}
        assert (RELATIONS[one](a, b, SIDE) is Holds.YES) == (
            RELATIONS[other](b, a, SIDE) is Holds.YES
        )


@pytest.mark.parametrize(
    ("relation", "place"),
    [
        ("left of", lambda far: item(1, 50 - far, 50)),
        ("right of", lambda far: item(1, 50 + far, 50)),
        ("above", lambda far: item(1, 50, 50 - far)),
        ("below", lambda far: item(1, 50, 50 + far)),
    ],
)
def test_a_direction_is_clear_from_six_percent_on(
    relation: str, place: Callable[[int], SceneItem]
) -> None:
    holds, anchor = RELATIONS[relation], item(2, 50, 50)
    assert holds(place(20), anchor, SIDE) is Holds.YES
    assert holds(place(3), anchor, SIDE) is Holds.UNCLEAR
    assert holds(place(-3), anchor, SIDE) is Holds.UNCLEAR
    assert holds(place(-20), anchor, SIDE) is Holds.NO


def test_a_cup_on_a_table_is_on_it_and_not_above_or_next_to_it() -> None:
    table = item(2, 30, 50, 40, 30)
    cup = item(1, 45, 40, on=2)
    beside = item(3, 85, 60)
    assert RELATIONS["on"](cup, table, SIDE) is Holds.YES
    assert RELATIONS["on"](beside, table, SIDE) is Holds.NO
    assert RELATIONS["above"](cup, table, SIDE) is not Holds.YES
    assert RELATIONS["next to"](cup, table, SIDE) is not Holds.YES


def test_next_to_is_near_and_beside() -> None:
    anchor = item(2, 50, 50)
    assert RELATIONS["next to"](item(1, 62, 52), anchor, SIDE) is Holds.YES
    assert RELATIONS["next to"](item(1, 70, 52), anchor, SIDE) is Holds.UNCLEAR
    assert RELATIONS["next to"](item(1, 80, 52), anchor, SIDE) is Holds.NO
    assert RELATIONS["next to"](item(1, 50, 62), anchor, SIDE) is not Holds.YES
