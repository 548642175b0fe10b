from hypothesis import given
from hypothesis import strategies as st

from vlseg_cli.jobs.work_units import group_items
from vlseg_cli.schema import Item


def _items(videos: list[bool]) -> list[Item]:
    return [Item(n, str(n), str(n), video, 1, 1) for n, video in enumerate(videos)]


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 9))
def test_units_keep_all_items_in_order(videos: list[bool], batch_size: int) -> None:
    items = _items(videos)
    units = list(group_items(items, batch_size))
    assert [item for unit in units for item in unit.items] == items
    for unit in units:
        assert unit.key == unit.items[0].number
        if unit.is_video:
            assert len(unit.items) == 1
        else:
            assert len(unit.items) <= batch_size
            assert not any(item.is_video for item in unit.items)


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 9), st.integers(0, 40))
def test_more_inputs_change_no_full_unit(videos: list[bool], batch_size: int, first: int) -> None:
    every, some = _items(videos), _items(videos[:first])
    before, after = list(group_items(some, batch_size)), list(group_items(every, batch_size))
    assert before[:-1] == after[: len(before[:-1])]
