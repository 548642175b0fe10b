"""The journal: which items a job has and the result of each; the only state that a resume trusts.

A finished job has ``journal.jsonl``, a line per item. In progress, ``.vlseg/items.jsonl`` lists the
items to do and every process appends what it completed to a file of its own in ``.vlseg/journal/``,
so no two processes write to one file, and a torn last line is simply work to be done again. In
these files a chunk is a ``part`` and its item results are ``shares``.

An item's ``attempt`` is the number of the lock under which it was listed. Such numbers only grow,
so a line that a process writes too late never matches an input that was listed again.
"""

import contextlib
import hashlib
import json
import os
import threading
from array import array
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vlseg_cli.jobs.job import ITEMS, JOURNAL, LINES, STATE_FOLDER, is_whole, sealed
from vlseg_cli.jobs.work_units import Chunk, WorkUnit
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import Item, OutputError
from vlseg_cli.schema.files import parse_json

_PENDING = -1
_Done = tuple[int, str | None, int, bool]  # of a chunk: frames, error, its exit code, is_last
_MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError)


class Journal:
    """The items of a job in order, and their state; compact enough for a million items."""

    def __init__(self, folder: OutputFolder, worker: str) -> None:
        """Read the state of a folder. worker: a file name that no other process uses."""
        self.items: list[Item] = []
        self.errors: dict[int, tuple[str, int]] = {}  # of failed items: sentence, exit code
        self._folder, self.worker = folder, worker
        self._frames = array("q")  # of done items, else _PENDING
        self._leases = array("q")  # the largest number of a lease under which it was worked on
        self._chunks = array("l")  # chunks done, also of items in progress
        self._partial: dict[int, int] = {}  # frames done of videos in progress
        self._waiting: dict[int, dict[int, _Done]] = {}  # chunks whose predecessors are unread
        self._attempt = array("q")  # 0: finished before
        self._read_up_to: dict[Path, int] = {}
        self._file: Any = None
        self._changing = threading.Lock()  # one thread reads units, another completes them
        self.records_digest: Any = None  # of ``records.jsonl``, if the release before wrote one
        with self._one_sentence():
            for line in _whole_lines(folder.root / JOURNAL):
                self._restore(line)
        self.read_items()
        if self._items_file.exists():
            self.refresh()

    @contextlib.contextmanager
    def _one_sentence(self) -> Iterator[None]:
        try:
            yield
        except (OSError, *_MALFORMED) as error:
            raise OutputError(
                f"The journal in {self._folder.root} is damaged: give another --out, or --overwrite"
                " to start over."
            ) from error

    @property
    def _items_file(self) -> Path:
        return self._folder.root / STATE_FOLDER / ITEMS

    @property
    def _lines_folder(self) -> Path:
        return self._folder.root / STATE_FOLDER / LINES

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

    def lease(self, unit: WorkUnit) -> int:
        """The largest number of a lease under which one of some items was worked on."""
        return max(self._leases[item.number] for item in unit.items)

    @property
    def is_finished(self) -> bool:
        """Whether the job was finished and no item was added since."""
        return not self._items_file.exists() and (self._folder.root / JOURNAL).exists()

    @property
    def is_complete(self) -> bool:
        """Whether every item is done."""
        return _PENDING not in self._frames

    def is_stored(self, number: int) -> bool:
        """Whether the item was done when the job was last finished, and not listed again."""
        return not self._attempt[number]

    def read_items(self) -> None:
        """Read which items are work to do; other processes may have listed some again."""
        with self._one_sentence():
            for line in _whole_lines(self._items_file):
                if "end" in line:
                    continue
                item, attempt = _item(line), int(line["attempt"])
                if item.number >= len(self.items) or attempt > self._attempt[item.number]:
                    self._add(item, attempt)

    def add_items(self, items: Iterable[Item], lock: int) -> None:
        """Add items as work to do. lock: the number of the job's lock, which the caller holds.

        Raises OutputError if that cannot be written.
        """
        attempt = max([lock, *(one + 1 for one in self._attempt)])
        for item in items:
            self._add(item, attempt)
        rows = (
            _row(item) | {"attempt": self._attempt[item.number]}
            for item in self.items
            if self._attempt[item.number]
        )
        self._folder.write(_whole_jsonl(rows), STATE_FOLDER, ITEMS)

    def begin(self) -> None:
        """Open the file of this process. Raises OutputError."""
        path = self._folder.path(STATE_FOLDER, LINES, f"{self.worker}.jsonl")
        try:
            self._file = path.open("ab")
        except OSError as error:
            raise self._folder.write_error(path, error) from error

    def append(
        self,
        chunk: Chunk,
        lease: int = 0,
        files: Mapping[int, Iterable[tuple[str, ...]]] = MappingProxyType({}),
    ) -> None:
        """Record that a chunk is complete; on disk when this returns. Raises OutputError.

        lease: its number. files: that the chunk left for later steps, by number of the item.
        """
        results = {
            str(result.item.number): {
                "attempt": self._attempt[result.item.number],
                "frames": result.frames,
                "error": result.error,
                "code": result.exit_code,
                "files": {
                    "/".join(parts): file_digest(self._folder.root.joinpath(*parts))
                    for parts in files.get(result.item.number, ())
                },
            }
            for result in chunk.results
        }
        line = sealed(
            {"part": chunk.index, "last": chunk.is_last, "lease": lease, "shares": results}
        )
        if self._file is None:
            self.begin()
        path = self._lines_folder / f"{self.worker}.jsonl"
        try:
            self._file.write(json.dumps(line).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._folder.write_error(path, error) from error
        with self._changing:
            self._apply(line)

    def refresh(self) -> None:
        """Read what other processes have completed since, possibly the whole job."""
        own = f"{self.worker}.jsonl"
        for path in sorted(self._lines_folder.glob("*.jsonl")):
            if path.name == own and self._file is not None:
                continue
            for line in self._new_lines(path):
                # A malformed line means work to be done again, nothing worse.
                with self._changing, contextlib.suppress(*_MALFORMED):
                    self._apply(line)
        if not self._items_file.exists():  # checked last: it is removed after the lines above
            with self._one_sentence():
                for line in _whole_lines(self._folder.root / JOURNAL):
                    self._conclude(line)

    def damaged(self, numbers: Container[int]) -> list[Item]:
        """Those of some items whose stored files are not as they were written."""
        found: dict[int, Item] = {}
        for path in sorted(self._lines_folder.glob("*.jsonl")):
            for line in _lines(path):
                with contextlib.suppress(*_MALFORMED):
                    for key, result in line["shares"].items():
                        number = int(key)
                        is_current = result["attempt"] == self._attempt[number]
                        if number in numbers and is_current and number not in found:
                            files = result.get("files", {}).items()
                            if not all(
                                file_digest(self._folder.root / name) == digest
                                for name, digest in files
                                if self._is_needed(name, number, line["part"])
                            ):
                                found[number] = self.items[number]
        return list(found.values())

    def _is_needed(self, name: str, number: int, part: int) -> bool:
        """Whether a later step reads a file: of done items the records, of a state the latest."""
        if name.endswith(".jsonl"):
            return True
        is_old_state = name.endswith(".safetensors") and part < self._chunks[number] - 1
        return not (self.is_done(number) or is_old_state)

    def close(self) -> None:
        """Close the file of this process."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def write_finished(self, records_digest: object = None) -> None:
        """Write ``journal.jsonl``: everything is done. Raises OutputError.

        records_digest: of ``records.jsonl``, see ``file_digest``.
        """
        rows = (
            _row(item) | {"frames": self._frames[item.number], **self._failure(item.number)}
            for item in self.items
        )
        self._folder.write(_whole_jsonl(rows, records=records_digest), JOURNAL)

    def _failure(self, number: int) -> dict[str, Any]:
        error = self.errors.get(number)
        return {} if error is None else {"error": error[0], "code": error[1]}

    def _restore(self, line: dict[str, Any]) -> None:
        if "end" in line:
            self.records_digest = line.get("records")
        else:
            self._add(_item(line), attempt=0)
        self._conclude(line)

    def _conclude(self, line: dict[str, Any]) -> None:
        """Apply the result of an item of a finished job."""
        if "end" in line:
            return
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
            for column in (self._frames, self._leases, self._chunks, self._attempt):
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
            if known:
                self._leases[number] = max(self._leases[number], int(line.get("lease", 0)))
            if known and not self.is_done(number) and line["part"] >= self._chunks[number]:
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


def file_digest(path: Path) -> list[int | str]:
    """Size and SHA-256 of a file; nothing for one that is gone."""
    try:
        with path.open("rb") as file:
            return [path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()]
    except OSError:
        return []


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
        if is_whole(value):
            yield value


def _whole_jsonl(rows: Iterable[dict[str, Any]], **end: object) -> bytes:
    """Sealed lines, the last of which counts the others."""
    text = _jsonl(map(sealed, rows))
    return text + _jsonl([sealed({"end": text.count(b"\n"), **end})])


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of such a file, or of one of a release that did not seal.

    Raises ValueError, after the last line at the latest, if one is missing or damaged.
    """
    if not path.exists():
        return
    count, last = 0, None
    with path.open("rb") as file:
        for line in file:
            value = parse_json(line)
            is_sealed = is_whole(value) and "check" in value
            if not is_whole(value) or (last and "end" in last):
                raise ValueError(f"{path} was changed")
            if last and ("check" in last) != is_sealed:
                raise ValueError(f"{path} was changed")
            count, last = count + ("end" not in value), value
            yield value
    if last is None or ("check" in last and last.get("end") != count):
        raise ValueError(f"{path} was changed")


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
