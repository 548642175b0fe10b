"""Units hold every item once and in order; every unit is in one shard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlseg_cli.jobs.work_units import Shard, group_items, parse_shard, shard_of_launcher
from vlseg_cli.schema import Item, UsageError


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
def test_additional_inputs_change_no_full_unit(
    videos: list[bool], batch_size: int, first: int
) -> None:
    every, some = _items(videos), _items(videos[:first])
    before, after = list(group_items(some, batch_size)), list(group_items(every, batch_size))
    assert before[:-1] == after[: len(before[:-1])]


def test_shards_take_every_unit_exactly_once() -> None:
    shards = [parse_shard(f"{index}/3") for index in range(3)]
    for unit in range(20):
        assert sum(shard.takes(unit) for shard in shards) == 1


@pytest.mark.parametrize("text", ["", "1", "a/b", "3/3", "-1/2", "1/0", "1/2/3"])
def test_other_texts_are_not_shards(text: str) -> None:
    with pytest.raises(UsageError, match="--shard"):
        parse_shard(text)


@pytest.mark.parametrize(
    ("environment", "shard"),
    [
        ({}, Shard()),
        ({"RANK": "1", "WORLD_SIZE": "4"}, Shard(1, 4)),
        ({"SLURM_PROCID": "2", "SLURM_NTASKS": "3"}, Shard(2, 3)),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, Shard()),
        (
            {
                "SLURM_ARRAY_TASK_ID": "5",
                "SLURM_ARRAY_TASK_COUNT": "4",
                "SLURM_ARRAY_TASK_MIN": "3",
            },
            Shard(2, 4),
        ),
        ({"RANK": "0", "WORLD_SIZE": "2", "SLURM_PROCID": "1", "SLURM_NTASKS": "9"}, Shard(0, 2)),
    ],
)
def test_launchers_are_understood(environment: dict[str, str], shard: Shard) -> None:
    assert shard_of_launcher(environment) == shard


def test_contradicting_variables_are_refused() -> None:
    with pytest.raises(UsageError, match="--shard"):
        shard_of_launcher({"RANK": "4", "WORLD_SIZE": "4"})
