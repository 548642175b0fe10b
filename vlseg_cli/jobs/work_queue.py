"""Where units come from and where completed parts go: a journaled folder, or nothing at all.

Everything between the two, the pipeline, is the same for both.
"""

import secrets
import socket
from collections.abc import Iterable, Iterator
from typing import Protocol

from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.layout import (
    LEASES,
    STATE_FOLDER,
    part_path,
    read_state,
    state_path,
    write_state,
)
from vlseg_cli.jobs.lease import Leases
from vlseg_cli.jobs.shard import Shard
from vlseg_cli.jobs.work_units import Chunk, WorkUnit, group_items
from vlseg_cli.models.base import SessionState
from vlseg_cli.outputs import OutputFolder, record_line
from vlseg_cli.schema import Item


class WorkQueue(Protocol):
    """``units`` is called from the reading thread, ``complete`` from the writing one."""

    def units(self) -> Iterator[WorkUnit]:
        """Units to do, each claimed for this process when it is yielded."""
        ...

    def state(self, unit: WorkUnit) -> SessionState | None:
        """What the last complete part of a video left in mind, if it left anything."""
        ...

    def complete(self, part: Chunk) -> None:
        """Keep a part for good; its pictures are written already."""
        ...


class JournaledQueue:
    """Units nobody else has done or holds, kept in the journal when complete."""

    def __init__(
        self,
        folder: OutputFolder,
        journal: Journal,
        batch_size: int,
        shard: Shard,
        wanted: set[int],
    ) -> None:
        """wanted: numbers of the items that this run is about."""
        self._folder, self._journal = folder, journal
        self._batch_size, self._shard, self._wanted = batch_size, shard, wanted
        self._leases = Leases(folder.root / STATE_FOLDER / LEASES)

    def units(self) -> Iterator[WorkUnit]:
        """See ``WorkQueue``. One pass over the items; what others hold meanwhile is skipped."""
        for index, group in enumerate(group_items(self._journal.items, self._batch_size)):
            if not self._shard.takes(index) or not self._pending(group):
                continue
            if not self._leases.claim(str(group.key)):
                continue
            self._journal.refresh()  # it may have been completed just before we claimed it
            pending = self._pending(group)
            if pending:
                key = group.key
                yield WorkUnit(pending, key, self._journal.parts(key), self._journal.frames(key))
            else:
                self._leases.release(str(group.key))

    def state(self, unit: WorkUnit) -> SessionState | None:
        """See ``WorkQueue``."""
        return read_state(self._folder, unit.key, unit.parts - 1)

    def complete(self, part: Chunk) -> None:
        """See ``WorkQueue``: records and state to their own files, then a line in the journal."""
        for share in part.shares:
            lines = "".join(record_line(record) + "\n" for record in share.records)
            self._folder.write(lines.encode(), *part_path(share.item.number, part.number))
        if part.state is not None and not part.last:
            write_state(self._folder, part.unit.key, part.number, part.state)
        self._journal.append(part)
        if part.unit.is_video:
            self._folder.remove(*state_path(part.unit.key, part.number - 1))  # superseded
        if part.last:
            self._leases.release(str(part.unit.key))

    def close(self) -> None:
        """Give everything back."""
        self._leases.close()

    def _pending(self, group: WorkUnit) -> tuple[Item, ...]:
        return tuple(
            item
            for item in group.items
            if item.number in self._wanted and not self._journal.is_done(item.number)
        )


class TransientQueue:
    """All units, once; nothing is kept (``--save none``)."""

    def __init__(self, items: Iterable[Item], batch_size: int, shard: Shard) -> None:
        self._items, self._batch_size, self._shard = items, batch_size, shard

    def units(self) -> Iterator[WorkUnit]:
        """See ``WorkQueue``."""
        for index, unit in enumerate(group_items(self._items, self._batch_size)):
            if self._shard.takes(index):
                yield unit

    def state(self, unit: WorkUnit) -> SessionState | None:  # noqa: ARG002
        """See ``WorkQueue``: no part was done before."""
        return None

    def complete(self, part: Chunk) -> None:
        """See ``WorkQueue``: there is nothing to keep."""


def worker_name() -> str:
    """A file name that no other process on any machine uses."""
    return f"{socket.gethostname()}-{secrets.token_hex(6)}"
