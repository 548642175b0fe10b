"""The journal: which items a job has and the result of each; the only state that a resume trusts.

A finished job has ``journal.jsonl``, a line per item. In progress, ``.vlseg/items.jsonl`` lists the
items to do and every process appends what it completed to a file of its own in ``.vlseg/journal/``,
so no two processes write to one file, and a torn last line is simply work to be done again. In
these files a chunk is a ``part`` and its item results are ``shares``.
"""

import contextlib
import json
import os
import threading
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from vlseg_cli.jobs.job import JOURNAL, STATE_FOLDER
from vlseg_cli.jobs.work_units import Chunk
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.atomic import write_error
from vlseg_cli.schema import Item, OutputError

_PENDING = -1
_Done = tuple[int, str | None, int, bool]  # of a chunk: frames, error, its exit code, is_last
_MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError)


class Journal:
    """The items of a job in order, and their state; compact enough for a million items."""

    def __init__(self, folder: OutputFolder, worker: str) -> None:
        """Read the state of a folder. worker: a file name that no other process uses."""
        self.items: list[Item] = []
        self.errors: dict[int, tuple[str, int]] = {}  # of failed items: sentence, exit code
        self._folder, self._worker = folder, worker
        self._frames = array("q")  # of done items, else _PENDING
        self._chunks = array("l")  # chunks done, also of items in progress
        self._partial: dict[int, int] = {}  # frames done of videos in progress
        self._waiting: dict[int, dict[int, _Done]] = {}  # chunks whose predecessors are unread
        self._attempt = array("l")  # 0: finished before; else counts how often it was listed
        self._read_up_to: dict[Path, int] = {}
        self._file: Any = None
        self._changing = threading.Lock()  # one thread reads units, another completes them
        try:
            for line in _lines(folder.root / JOURNAL):
                self._restore(line)
            for line in _lines(self._items_file):
                self._add(_item(line), line["attempt"])
        except _MALFORMED as error:
            raise OutputError(
                f"The journal in {folder.root} is damaged: give another --out, or --overwrite to"
                " start over."
            ) from error
        if self._items_file.exists():
            self.refresh()

    @property
    def _items_file(self) -> Path:
        return self._folder.root / STATE_FOLDER / "items.jsonl"

    def is_done(self, number: int) -> bool:
        """Whether an item has its result, or has failed."""
        return self._frames[number] != _PENDING

    def frames(self, number: int) -> int:
        """How many frames of an item are done."""
        done = self._frames[number]
        return self._partial.get(number, 0) if done == _PENDING else done

    def chunks(self, number: int) -> int:
        """How many chunks of an item are complete."""
        return self._chunks[number]

    @property
    def is_finished(self) -> bool:
        """Whether the job was finished and no item was added since."""
        return not self._items_file.exists() and (self._folder.root / JOURNAL).exists()

    @property
    def is_complete(self) -> bool:
        """Whether every item is done."""
        return _PENDING not in self._frames

    def attempt(self, number: int) -> int:
        """How often an item was added since the job was last finished; 0 for a finished one."""
        return self._attempt[number]

    def add_items(self, items: Iterable[tuple[Item, int]]) -> None:
        """Add items, with their attempt, as work to do; the caller holds the job's lock.

        Raises OutputError if that cannot be written.
        """
        for item, attempt in items:
            self._add(item, attempt)
        rows = (
            _row(item) | {"attempt": self._attempt[item.number]}
            for item in self.items
            if self._attempt[item.number]
        )
        self._folder.write(_jsonl(rows), STATE_FOLDER, "items.jsonl")

    def append(self, chunk: Chunk) -> None:
        """Record that a chunk is complete; on disk when this returns. Raises OutputError."""
        results = {
            str(result.item.number): {
                "attempt": self._attempt[result.item.number],
                "frames": result.frames,
                "error": result.error,
                "code": result.exit_code,
            }
            for result in chunk.results
        }
        line = {"part": chunk.index, "last": chunk.is_last, "shares": results}
        path = self._folder.path(STATE_FOLDER, "journal", f"{self._worker}.jsonl")
        try:
            if self._file is None:
                self._file = path.open("ab")
            self._file.write(json.dumps(line).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise write_error(path, error) from error
        with self._changing:
            self._apply(line)

    def refresh(self) -> None:
        """Read what other processes have completed since, possibly the whole job."""
        own = f"{self._worker}.jsonl"
        folder = self._folder.root / STATE_FOLDER / "journal"
        for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else ():
            if path.name == own:
                continue
            for line in self._new_lines(path):
                # A malformed line means work to be done again, nothing worse.
                with self._changing, contextlib.suppress(*_MALFORMED):
                    self._apply(line)
        if not self._items_file.exists():  # checked last: it is removed after the lines above
            for line in _lines(self._folder.root / JOURNAL):
                self._conclude(line)

    def close(self) -> None:
        """Close the file of this process."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def write_finished(self) -> None:
        """Write ``journal.jsonl``: everything is done. Raises OutputError."""
        rows = (
            _row(item) | {"frames": self._frames[item.number], **self._failure(item.number)}
            for item in self.items
        )
        self._folder.write(_jsonl(rows), JOURNAL)

    def _failure(self, number: int) -> dict[str, Any]:
        error = self.errors.get(number)
        return {} if error is None else {"error": error[0], "code": error[1]}

    def _restore(self, line: dict[str, Any]) -> None:
        self._add(_item(line), attempt=0)
        self._conclude(line)

    def _conclude(self, line: dict[str, Any]) -> None:
        """Apply the result of an item of a finished job."""
        number = line["item"]
        self._frames[number] = line["frames"]
        if "error" in line:
            self.errors[number] = line["error"], line["code"]

    def _add(self, item: Item, attempt: int) -> None:
        number = item.number
        if not 0 <= number <= len(self.items):
            raise IndexError(number)
        if number == len(self.items):
            self.items.append(item)
            for column in (self._frames, self._chunks, self._attempt):
                column.append(0)
        self.items[number] = item
        self._frames[number], self._chunks[number] = _PENDING, 0
        self._attempt[number] = attempt
        self._partial.pop(number, None)
        self._waiting.pop(number, None)
        self.errors.pop(number, None)

    def _apply(self, line: dict[str, Any]) -> None:
        """Apply a completed chunk; chunks of an earlier attempt no longer count.

        Chunks of one video may be in the files of several processes, which are read in any order.
        """
        for key, result in line["shares"].items():
            number = int(key)
            known = number < len(self.items) and result["attempt"] == self._attempt[number]
            if known and not self.is_done(number):
                waiting = self._waiting.setdefault(number, {})
                done = result["frames"], result["error"], result["code"], line["last"]
                waiting[line["part"]] = done
                while (following := waiting.pop(self._chunks[number], None)) is not None:
                    self._advance(number, *following)
                if not waiting:
                    del self._waiting[number]

    def _advance(
        self, number: int, frames: int, error: str | None, code: int, is_last: bool
    ) -> None:
        """Apply the next chunk of an item."""
        self._chunks[number] += 1
        frames += self._partial.pop(number, 0)
        if error is not None:
            self.errors.setdefault(number, (error, code))
        if is_last:
            self._frames[number] = frames
        else:
            self._partial[number] = frames

    def _new_lines(self, path: Path) -> Iterator[dict[str, Any]]:
        """Whole lines that were appended since the last call."""
        try:
            with path.open("rb") as file:
                file.seek(self._read_up_to.get(path, 0))
                text = file.read()
        except FileNotFoundError:  # the job was finished by another process
            return
        whole = text.rfind(b"\n") + 1
        self._read_up_to[path] = self._read_up_to.get(path, 0) + whole
        yield from _parsed(text[:whole].splitlines())


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        with path.open("rb") as file:
            yield from _parsed(file)


def _parsed(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Lines that are JSON objects; the last line of a killed process may be torn."""
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


def _row(item: Item) -> dict[str, Any]:
    return {
        "item": item.number,
        "input": item.source,
        "name": item.name,
        "video": item.is_video,
        "bytes": item.bytes,
        "modified": item.modified,
    }


def _item(line: dict[str, Any]) -> Item:
    return Item(
        line["item"], line["input"], line["name"], line["video"], line["bytes"], line["modified"]
    )


def _jsonl(rows: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
