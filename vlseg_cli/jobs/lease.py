"""Leases: how processes, also on several machines, share an output folder without messages.

A lease is a small file that exactly one process can create. Its holder renews it every few
seconds; one that is not renewed, or whose process on this machine has ended, may be taken over. Its
former holder may only be stopped and wake up later, therefore its staging folder is removed first:
it cannot put a file in place from then on. Each lease has a number that only grows.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from vlseg_cli.outputs.atomic import write_error
from vlseg_cli.schema import FencedError, OutputError, UsageError

RENEWED_EVERY = 10.0  # s
STALE_AFTER = 60.0  # s
_WORKER = re.compile(r"\w[\w.-]*")  # a file name


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lease. age: seconds since it was renewed."""

    host: str
    pid: int
    worker: str
    age: float
    number: int = 0

    @property
    def is_gone(self) -> bool:
        """Whether it may be taken over; one from the future was not renewed either."""
        is_here = self.host == this_host()
        return abs(self.age) > STALE_AFTER or (is_here and not psutil.pid_exists(self.pid))

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host.partition(' ')[0] or 'an unknown machine'}"


class Leases:
    """The leases of one process in one folder, renewed by a thread until ``close``."""

    def __init__(self, folder: Path, worker: str, staging: Path) -> None:
        """Start the thread. The folder must exist; removing it removes all leases in it.

        worker: see ``worker_name``. staging: has the staging folder of each worker.
        """
        self.folder, self.worker, self._staging = folder, worker, staging
        self._held: set[Path] = set()
        self._closed = threading.Event()
        threading.Thread(target=self._renew, daemon=True, name="leases").start()

    def acquire(self, name: str, above: int = 0) -> int:
        """Take the lease ``name`` if no process holds it, or if its holder has ended.

        Returns its number, larger than ``above`` and than all before; 0 if it is held.
        """
        path = self.folder / f"{name}.lease"
        number = self._create(path, above)
        if number:
            return number
        holder = read_holder(path)
        if holder is None or not holder.is_gone:
            return 0
        if _WORKER.fullmatch(holder.worker):
            remove_staging(self._staging / holder.worker)
        if not self._remove_stale(path, holder):
            return 0
        return self._create(path, max(above, holder.number))

    def check(self, name: str) -> None:
        """Raise FencedError if another process has taken the lease over."""
        if not self._is_own(self.folder / f"{name}.lease"):
            raise FencedError(f"Another process has taken over the lease {name} of this one.")

    def release(self, name: str) -> None:
        """Release a lease; one of another process is left alone."""
        path = self.folder / f"{name}.lease"
        self._held.discard(path)
        if self._is_own(path):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Release all leases and stop renewing."""
        self._closed.set()
        for path in tuple(self._held):
            self.release(path.stem)

    def _create(self, path: Path, above: int) -> int:
        """Create a lease file; returns its number, 0 if there is one."""
        draft = path.with_name(f".{secrets.token_hex(8)}.draft")
        try:
            draft.touch()
            number = max(above + 1, int(draft.stat().st_mtime * 1000))
            values = {"host": this_host(), "pid": os.getpid(), "token": self.worker}
            draft.write_text(json.dumps(values | {"number": number}))
            _link(draft, path)
        except (FileExistsError, FileNotFoundError):  # the folder goes with the finished job
            return 0
        except OSError as error:
            raise write_error(path, error) from error
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
        self._held.add(path)
        return number

    def _is_own(self, path: Path) -> bool:
        return bool(_values(path).get("token") == self.worker)

    def _remove_stale(self, path: Path, stale: Holder) -> bool:
        """Remove a lease unless it has a new holder meanwhile; only one process succeeds."""
        aside = path.with_name(f".{secrets.token_hex(8)}.stale")
        try:
            path.rename(aside)
        except OSError:
            return False
        is_the_same: bool = _values(aside).get("token", "") == stale.worker
        with contextlib.suppress(OSError):
            if not is_the_same:  # a live one: put it back
                os.link(aside, path)
            aside.unlink(missing_ok=True)
        return is_the_same

    def _renew(self) -> None:
        while not self._closed.wait(RENEWED_EVERY):
            for path in tuple(self._held):
                if self._is_own(path):  # else it is lost, which ``check`` finds
                    with contextlib.suppress(OSError):
                        os.utime(path)


@contextmanager
def locked(
    folder: Path, name: str, worker: str, staging: Path, wait: float = 3 * STALE_AFTER
) -> Iterator[int]:
    """Hold one lease during the block, after waiting for its present holder; gives its number.

    Raises UsageError after ``wait`` seconds.
    """
    leases = Leases(folder, worker, staging)
    try:
        end = time.monotonic() + wait
        while not (number := leases.acquire(name)):
            if not folder.is_dir():
                raise OutputError(f"{folder} is gone: another program has removed it.")
            if time.monotonic() > end:
                path = folder / f"{name}.lease"
                raise UsageError(
                    f"{path} is held by {read_holder(path) or 'another process'}: wait for it, or"
                    " give another --out."
                )
            time.sleep(0.05)
        yield number
    finally:
        leases.close()


def read_holder(path: Path) -> Holder | None:
    """The holder of a lease, None if there is none. The age is by the clock of the file system.

    A damaged lease (its holder was killed while creating it) becomes stale by age alone.
    """
    try:
        age = _now(path.parent) - path.stat().st_mtime
    except OSError:
        return None
    values = _values(path)
    match values | {"number": values.get("number", 0)}:
        case {"host": str(host), "pid": int(pid), "token": str(worker), "number": int(number)}:
            return Holder(host, pid if 0 < pid < 1 << 31 else 0, worker, age, number)
    return Holder("", 0, "", age)


def _values(path: Path) -> dict[str, Any]:
    """What a lease file holds; {} if it is gone or damaged."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def holders(folder: Path) -> list[Holder]:
    """All holders of leases in a folder."""
    found = (read_holder(path) for path in sorted(folder.glob("*.lease")))
    return [holder for holder in found if holder is not None]


def this_host() -> str:
    """The machine and its process namespace: containers may share a host name."""
    with contextlib.suppress(OSError, AttributeError):
        return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115
    return socket.gethostname()


def worker_name() -> str:
    """A file name that no other process on any machine uses."""
    host = re.sub(r"[^\w.-]", "_", socket.gethostname()).lstrip("._-") or "host"
    return f"{host}-{secrets.token_hex(6)}"


def remove_staging(folder: Path) -> None:
    """Remove a staging folder; by the first step its process can put nothing in place."""
    aside = folder.with_name(f".{secrets.token_hex(8)}.stale")
    with contextlib.suppress(OSError):
        folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def _link(draft: Path, path: Path) -> None:
    """Give a file a second name that does not exist, with its text from the start if possible."""
    try:
        os.link(draft, path)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:  # a file system without links: for a moment the file is empty
        with path.open("x") as file:
            file.write(draft.read_text())


def _now(folder: Path) -> float:
    """The time by the file system: the clocks of machines that share it may differ."""
    probe = folder / f".{secrets.token_hex(8)}.clock"
    try:
        probe.touch()
        return probe.stat().st_mtime
    except OSError:
        return time.time()
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
