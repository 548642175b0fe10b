"""The source of work units and the sink of completed chunks: a journaled folder, or nothing.

The pipeline between the two is the same for both. ``units`` is called from the reading thread,
``complete`` from the writing one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from vlseg_cli.jobs.job import (
    LEASES,
    LOCK,
    STATE_FOLDER,
    WORK,
    read_state,
    records_path,
    state_path,
    write_state,
)
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.lease import Leases, locked
from vlseg_cli.jobs.work_units import Chunk, Shard, WorkUnit, group_items
from vlseg_cli.models.base import SessionState
from vlseg_cli.outputs import OutputFolder, record_line
from vlseg_cli.schema import Item

Parts = tuple[str, ...]  # of a path below the output folder


class JournaledQueue:
    """Units that no process has done or holds; completed ones are recorded in the journal."""

    def __init__(
        self,
        folder: OutputFolder,
        journal: Journal,
        batch_size: int,
        shard: Shard,
        wanted: set[int],
    ) -> None:
        """wanted: numbers of the items of this run."""
        self._folder, self._journal = folder, journal
        self._batch_size, self._shard, self._wanted = batch_size, shard, wanted
        self._state = folder.root / STATE_FOLDER
        self._leases = Leases(self._state / LEASES, journal.worker, self._state / WORK)
        self._numbers: dict[int, int] = {}  # of the leases that are held
        journal.begin()

    def units(self) -> Iterator[WorkUnit]:
        """Units to do, each claimed when it is yielded; what other processes hold is skipped."""
        journal = self._journal
        for index, group in enumerate(group_items(journal.items, self._batch_size)):
            if not self._shard.takes(index) or not self._pending(group):
                continue
            key = group.key
            number = self._leases.acquire(str(key), journal.lease(group))
            if not number:
                continue
            journal.refresh()  # it may have been completed just before the claim
            if group.is_video and journal.chunks(key):
                self._list_if_damaged(key)
            pending = self._pending(group)
            if pending and journal.lease(group) < number:
                self._numbers[key] = number
                yield WorkUnit(pending, key, journal.chunks(key), journal.frames(key))
            else:
                self._leases.release(str(key))

    def state(self, unit: WorkUnit) -> SessionState | None:
        """The tracking state at the end of the last complete chunk of a video, if there is one."""
        return read_state(self._folder, unit.key, unit.chunks - 1)

    def complete(self, chunk: Chunk, files: Mapping[int, Sequence[Parts]]) -> None:
        """Store a chunk: records and state in files of their own, then a journal line.

        files: further ones that the chunk left, by number of the item. Raises FencedError if
        another process has taken over the unit.
        """
        key = chunk.unit.key
        self._leases.check(str(key))
        left = {number: list(parts) for number, parts in files.items()}
        for result in chunk.results:
            number = result.item.number
            lines = "".join(record_line(record) + "\n" for record in result.records)
            left.setdefault(number, []).append(records_path(number, chunk.index))
            self._folder.write(lines.encode(), *left[number][-1])
        if chunk.state is not None and not chunk.is_last:
            write_state(self._folder, key, chunk.index, chunk.state)
            left[key].append(state_path(key, chunk.index))
        self._leases.check(str(key))
        self._journal.append(chunk, self._numbers[key], left)
        if chunk.unit.is_video:
            self._folder.remove(*state_path(key, chunk.index - 1))  # superseded
        if chunk.is_last:
            self._leases.release(str(key))

    def close(self) -> None:
        """Release all leases."""
        self._leases.close()

    def _list_if_damaged(self, key: int) -> None:
        """Start a video over if a file of its chunks is not as it was written."""
        if self._journal.damaged({key}):
            root, worker = self._folder.root, self._journal.worker
            with locked(root, LOCK, worker, self._state / WORK) as lock:
                self._journal.read_items()
                self._journal.add_items(self._journal.damaged({key}), lock)

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
        """All units of this shard."""
        for index, unit in enumerate(group_items(self._items, self._batch_size)):
            if self._shard.takes(index):
                yield unit

    def state(self, unit: WorkUnit) -> SessionState | None:  # noqa: ARG002
        """None: no chunk was done before."""
        return None

    def complete(self, chunk: Chunk, files: Mapping[int, Sequence[Parts]]) -> None:
        """There is nothing to store."""


WorkQueue = JournaledQueue | TransientQueue
