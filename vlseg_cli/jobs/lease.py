"""Leases: how processes, also on several machines, share an output folder without messages.

A lease is a small file that exactly one process can create. Its holder renews it every few
seconds; one that is not renewed, or whose process on this machine has ended, may be taken over.
"""

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from vlseg_cli.outputs.atomic import write_error

RENEWED_EVERY = 10.0  # s
STALE_AFTER = 60.0  # s


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lease. age: seconds since it was renewed."""

    host: str
    pid: int
    token: str
    age: float

    @property
    def is_gone(self) -> bool:
        """Whether it may be taken over."""
        is_here = self.host == this_host()
        return self.age > STALE_AFTER or (is_here and not psutil.pid_exists(self.pid))


class Leases:
    """The leases of one process in one folder, renewed by a thread until ``close``."""

    def __init__(self, folder: Path) -> None:
        """Start the thread. The folder must exist; removing it removes all leases in it."""
        self.folder, self.token = folder, secrets.token_hex(8)
        self._held: set[Path] = set()
        self._closed = threading.Event()
        threading.Thread(target=self._renew, daemon=True, name="leases").start()

    def acquire(self, name: str) -> bool:
        """Take the lease ``name`` if no process holds it, or if its holder has ended."""
        path = self.folder / f"{name}.lease"
        if self._create(path):
            return True
        holder = read_holder(path)
        if holder is not None and holder.is_gone and self._remove_stale(path, holder):
            return self._create(path)
        return False

    def release(self, name: str) -> None:
        """Release a lease; one of another process is left alone."""
        path = self.folder / f"{name}.lease"
        self._held.discard(path)
        holder = read_holder(path)
        if holder is not None and holder.token == self.token:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Release all leases and stop renewing."""
        self._closed.set()
        for path in tuple(self._held):
            self.release(path.stem)

    def _create(self, path: Path) -> bool:
        holder = json.dumps({"host": this_host(), "pid": os.getpid(), "token": self.token})
        try:
            _create_whole(path, holder)
        except (
            FileExistsError,
            FileNotFoundError,
        ):  # the folder goes with the finished job
            return False
        except OSError as error:
            raise write_error(path, error) from error
        self._held.add(path)
        return True

    def _remove_stale(self, path: Path, stale: Holder) -> bool:
        """Remove a lease unless it has a new holder meanwhile; only one process succeeds."""
        aside = path.with_name(f".{secrets.token_hex(8)}.stale")
        try:
            path.rename(aside)
        except OSError:
            return False
        removed = read_holder(aside)
        is_the_same = removed is None or removed.token == stale.token
        if not is_the_same:  # a live one: put it back
            with contextlib.suppress(OSError):
                os.link(aside, path)
        aside.unlink(missing_ok=True)
        return is_the_same

    def _renew(self) -> None:
        while not self._closed.wait(RENEWED_EVERY):
            for path in tuple(self._held):
                with contextlib.suppress(OSError):
                    os.utime(path)


@contextmanager
def locked(folder: Path, name: str, wait: float = 3 * STALE_AFTER) -> Iterator[None]:
    """Hold one lease during the block, after waiting for its present holder.

    Raises TimeoutError after ``wait`` seconds.
    """
    leases = Leases(folder)
    try:
        end = time.monotonic() + wait
        while not leases.acquire(name):
            if time.monotonic() > end:
                raise TimeoutError(f"{folder / name}.lease is held by another process")
            time.sleep(0.05)
        yield
    finally:
        leases.close()


def read_holder(path: Path) -> Holder | None:
    """The holder of a lease, None if there is none. The age is by the clock of the file system.

    An empty lease (its holder was killed while creating it) becomes stale by age alone.
    """
    try:
        age = _now(path.parent) - path.stat().st_mtime
        values = json.loads(path.read_text() or "{}")
        return Holder(values.get("host", ""), values.get("pid", 0), values.get("token", ""), age)
    except (OSError, ValueError):
        return None


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
    return f"{socket.gethostname()}-{secrets.token_hex(6)}"


def _create_whole(path: Path, text: str) -> None:
    """Create a file that does not exist, where possible with its text from the start.

    Raises FileExistsError if it exists, other OSErrors as the system does.
    """
    draft = path.with_name(f".{secrets.token_hex(8)}.draft")
    draft.write_text(text)
    try:
        os.link(draft, path)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:  # a file system without links: for a moment the file is empty
        with path.open("x") as file:
            file.write(text)
    finally:
        draft.unlink(missing_ok=True)


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
