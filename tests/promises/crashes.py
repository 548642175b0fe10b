"""Runs small jobs in forked processes that are killed, or paused, at a file-system event.

An audit hook counts the events that change something below the job's folder: files opened for
writing, renamed, linked and removed, folders made and removed. At the event of a given number the
process ends before it happens, as after a power failure, or stops until it is woken.
"""

import hashlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from vlseg_cli.jobs.work_units import Key
from vlseg_cli.media import Request, read_image
from vlseg_cli.media.video import read_video
from vlseg_cli.schema import Frame

KILLED = 137  # exit status of a process that was killed at its event
CHANGES = {
    *("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink"),
    *("os.truncate", "os.utime", "os.chmod"),
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

Run = Callable[[Path], object]  # of a scenario, in its folder


class LocalFrames(AbstractContextManager["LocalFrames"]):
    """Decodes in this process: a child for each of thousands of runs would take hours."""

    def __exit__(self, *_: object) -> None:
        """There is nothing to end."""

    def read(
        self, requests: Iterable[tuple[Key, Request]]
    ) -> Iterator[tuple[Key, Iterator[Frame]]]:
        for key, request in requests:
            yield key, self._frames(request)

    def _frames(self, request: Request) -> Iterator[Frame]:
        if not request.is_video:
            yield read_image(request.path)
            return
        for number, frame in enumerate(read_video(request.path, request.clip)):
            if number >= request.skip:
                yield frame


def everything_in(folder: Path) -> dict[str, str]:
    """Every file with a digest of its content, and every folder."""
    return {
        str(path.relative_to(folder)): "folder"
        if path.is_dir()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
    }


def start(run: Run, folder: Path, event: int = 0, how: int = signal.SIGKILL) -> int:
    """Fork a process that runs a scenario until the event of that number (from 1; 0 for none).

    how: the signal that it sends itself there. Returns its number.
    """
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        os.fsync = lambda _: None  # a killed process, unlike a machine, loses nothing written
        sys.addaudithook(_hook(folder, event, how))
        run(folder)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def wait(process: int) -> int:
    """The exit status of a forked process; 128 and the signal that ended it."""
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def count_events(run: Run, folder: Path) -> int:
    """How many events an undisturbed run has."""
    reading, writing = os.pipe()

    def counted(folder: Path) -> None:
        seen: list[str] = []

        def hook(event: str, args: tuple[object, ...]) -> None:
            if _changes(event, args, str(folder)):
                seen.append(event)

        sys.addaudithook(hook)
        run(folder)
        os.write(writing, str(len(seen)).encode())

    process = start(counted, folder)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    assert wait(process) == 0
    return int(text)


def _hook(folder: Path, event: int, how: int) -> Callable[[str, tuple[object, ...]], None]:
    left = [event]

    def hook(name: str, args: tuple[object, ...]) -> None:
        if left[0] > 0 and _changes(name, args, str(folder)):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), how)

    return hook


def _changes(name: str, args: tuple[object, ...], folder: str) -> bool:
    """Whether an audit event changes something below a folder."""
    if name == "open":
        path, _, flags = args
        if not (isinstance(flags, int) and flags & _WRITING):
            return False
    elif name in CHANGES:
        path = args[0]
    else:
        return False
    return isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(folder)


def wait_until_stopped(process: int) -> bool:
    """Wait until a process has stopped itself; False if it has ended instead."""
    _, status = os.waitpid(process, os.WUNTRACED)
    return os.WIFSTOPPED(status)


def let_leases_expire(folder: Path) -> None:
    """As if their holders had been stopped for an hour."""
    for path in folder.rglob("*.lease"):
        then = path.stat().st_mtime - 3600
        os.utime(path, (then, then))
