"""Units: what is claimed, answered and journaled together.

A unit is a batch of images or one video. Which images share a batch depends on the list of inputs
alone, never on what is done already, so a job that was killed computes what it would have computed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from vlseg_cli.media import Request
from vlseg_cli.models.base import SessionState
from vlseg_cli.schema import Frame, Item, Record, VlsegError


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """Items to answer.

    key: what its lease is called. parts, frames: of a video, how many of each are done already.
    """

    items: tuple[Item, ...]
    key: int
    parts: int = 0
    frames: int = 0

    @property
    def is_video(self) -> bool:
        """Whether this is one video."""
        return self.items[0].is_video


@dataclass(slots=True)
class ItemResult:
    """What one part brought of one item."""

    item: Item
    frames: int = 0
    error: str | None = None
    exit_code: int = 0
    records: list[Record] = field(default_factory=list)

    def fail(self, error: VlsegError, where: str = "") -> None:
        """Keep the first thing that went wrong with the item."""
        if self.error is None:
            self.error, self.exit_code = f"{where}{error}", error.exit_code


@dataclass(frozen=True, slots=True)
class Chunk:
    """The end of a part: everything about it but the pixels.

    last: the unit is complete. state: of a video that is watched, what its next part depends on.
    """

    unit: WorkUnit
    number: int
    last: bool
    shares: tuple[ItemResult, ...]
    state: SessionState | None = None


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


Key = tuple[WorkUnit, Item]


class FrameSource(Protocol):
    """As ``media.Decoder``; entered while the job runs."""

    def read(
        self, requests: Iterable[tuple[Key, Request]]
    ) -> Iterator[tuple[Key, Iterator[Frame]]]:
        """For each request in order its key and its frames; taking one may raise InputError."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
