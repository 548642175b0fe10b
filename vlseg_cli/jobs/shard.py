"""Which share of a job this process takes: ``--shard i/n``, or what torchrun and SLURM tell it.

Shares are fixed beforehand, unit by unit in turn; without any, processes that share one folder
take whatever is free.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from vlseg_cli.schema import UsageError

# Rank and size by who started us; SLURM sets its variables for single tasks, too.
_LAUNCHERS = (
    ("RANK", "WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"),
)


@dataclass(frozen=True, slots=True)
class Shard:
    """Share ``index`` (from 0) of ``count``."""

    index: int = 0
    count: int = 1

    def takes(self, unit: int) -> bool:
        """Whether unit number ``unit`` belongs to this share."""
        return unit % self.count == self.index


def parse_shard(text: str) -> Shard:
    """'0/4' to a Shard. Raises UsageError for anything else."""
    index, slash, count = text.partition("/")
    if not (slash and index.strip().isdecimal() and count.strip().isdecimal()):
        raise UsageError(f"--shard {text!r} is no share: write i/n with i from 0, as in 0/4.")
    shard = Shard(int(index), int(count))
    if shard.index >= shard.count:
        raise UsageError(f"--shard {text}: there is no share {shard.index}, they go from 0 to n-1.")
    return shard


def shard_of_launcher(environment: Mapping[str, str] = os.environ) -> Shard:
    """The share that the launcher gave this process; the whole if there is none.

    Raises UsageError if its variables contradict each other.
    """
    for rank, size in _LAUNCHERS:
        index, count = environment.get(rank, ""), environment.get(size, "")
        if index.isdecimal() and count.isdecimal() and int(count) > 1:
            first = int(environment.get("SLURM_ARRAY_TASK_MIN", "0")) if "ARRAY" in rank else 0
            shard = Shard(int(index) - first, int(count))
            if not 0 <= shard.index < shard.count:
                raise UsageError(f"{rank}={index} does not fit {size}={count}: give --shard i/n.")
            return shard
    return Shard()
