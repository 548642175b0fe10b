"""Units of work: what a process claims, predicts and journals as a whole.

A unit is a batch of images or one video. Which images share a batch depends on the list of inputs
alone, never on what is done already, so that a resumed job computes the same bits. ``--shard i/n``,
or the variables of torchrun and SLURM, assign units in turn; without them processes that share a
folder take whatever is free.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from vlseg_cli.media import Request
from vlseg_cli.models.base import SessionState
from vlseg_cli.schema import Frame, Item, Record, UsageError, VlsegError

# Rank and size by launcher; SLURM sets its variables for single tasks, too.
_LAUNCHERS = (
    ("RANK", "WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"),
)


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """Items to process together.

    key: name of its lease. chunks, frames: of a video, how many of each are done already.
    """

    items: tuple[Item, ...]
    key: int
    chunks: int = 0
    frames: int = 0

    @property
    def is_video(self) -> bool:
        """Whether this is one video."""
        return self.items[0].is_video


@dataclass(slots=True)
class ItemResult:
    """The result of one item in one chunk."""

    item: Item
    frames: int = 0
    error: str | None = None
    exit_code: int = 0
    records: list[Record] = field(default_factory=list)

    def fail(self, error: VlsegError, prefix: str = "") -> None:
        """Keep the first error of the item."""
        if self.error is None:
            self.error, self.exit_code = f"{prefix}{error}", error.exit_code


@dataclass(frozen=True, slots=True)
class Chunk:
    """A completed chunk of a unit, without its pixels.

    index: from 0 within the unit. is_last: the unit is complete. state: of a tracked video, what
    its next chunk starts from.
    """

    unit: WorkUnit
    index: int
    is_last: bool
    results: tuple[ItemResult, ...]
    state: SessionState | None = None


Key = tuple[WorkUnit, Item]


class FrameSource(AbstractContextManager["FrameSource"], Protocol):
    """As ``media.Decoder``; entered while the job runs."""

    def read(
        self, requests: Iterable[tuple[Key, Request]]
    ) -> Iterator[tuple[Key, Iterator[Frame]]]:
        """For each request in order its key and its frames; taking one may raise InputError."""
        ...


def group_items(items: Iterable[Item], batch_size: int) -> Iterator[WorkUnit]:
    """Neighboring images in batches, every video alone."""
    batch: list[Item] = []
    for item in items:
        if batch and (item.is_video or len(batch) == batch_size):
            yield WorkUnit(tuple(batch), batch[0].number)
            batch = []
        if item.is_video:
            yield WorkUnit((item,), item.number)
        else:
            batch.append(item)
    if batch:
        yield WorkUnit(tuple(batch), batch[0].number)


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard ``index`` (from 0) of ``count``."""

    index: int = 0
    count: int = 1

    def takes(self, unit: int) -> bool:
        """Whether unit number ``unit`` belongs to this shard."""
        return unit % self.count == self.index


def parse_shard(text: str) -> Shard:
    """'0/4' to a Shard. Raises UsageError for anything else."""
    index, slash, count = text.partition("/")
    if not (slash and index.strip().isdecimal() and count.strip().isdecimal()):
        raise UsageError(f"--shard {text!r} is not a shard: write i/n with i from 0, as in 0/4.")
    shard = Shard(int(index), int(count))
    if shard.index >= shard.count:
        raise UsageError(
            f"--shard {text}: there is no shard {shard.index}, they are numbered 0 to n-1."
        )
    return shard


def shard_of_launcher(environment: Mapping[str, str] = os.environ) -> Shard:
    """The shard that the launcher assigned to this process; the whole job without a launcher.

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
