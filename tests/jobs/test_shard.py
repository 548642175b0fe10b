import pytest

from vlseg_cli.jobs.shard import Shard, parse_shard, shard_of_launcher
from vlseg_cli.schema import UsageError


def test_shards_take_every_unit_exactly_once() -> None:
    shards = [parse_shard(f"{index}/3") for index in range(3)]
    for unit in range(20):
        assert sum(shard.takes(unit) for shard in shards) == 1


@pytest.mark.parametrize("text", ["", "1", "a/b", "3/3", "-1/2", "1/0", "1/2/3"])
def test_what_is_no_share_is_refused(text: str) -> None:
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
