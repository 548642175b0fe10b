"""Fetch published weights by name: everything checked first, pinned at first use, resumable."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from vlseg_cli.schema import OutputError, WeightsError
from vlseg_cli.weights.catalog import CatalogEntry
from vlseg_cli.weights.fetch import Advance, fetch, part_of
from vlseg_cli.weights.pins import Pin, PinnedFile, check_file, pinned_file, read_pin, write_pin
from vlseg_cli.weights.remote import Remote, RemoteFile, by_hand, list_remote
from vlseg_cli.weights.resolve import lock_file, official_folder

_SPARE = 64 << 20  # bytes that are left free


class PullReport(Protocol):
    """Shows progress of a file: gives what to call with the bytes that have come."""

    def __call__(self, path: str, size: int | None) -> AbstractContextManager[Advance]: ...


@dataclass(frozen=True, slots=True)
class PullResult:
    """fetched of files came over the network; the others were there and are as pinned."""

    folder: Path
    pin: Pin
    fetched: int
    files: int


def pull(
    name: str,
    entry: CatalogEntry,
    report: PullReport,
    update: bool = False,
    url: str = "",
    room: float = 1,
) -> PullResult:
    """Fetch what is missing of an entry and check the rest against its pin.

    update: take what is published now and pin that instead. url: for an entry without an address.
    room: how many times the files' size must be free. Raises WeightsError or OutputError in one
    sentence; pulling again goes on.
    """
    lock = lock_file(name)
    with _alone(name, lock):
        old = None if update else read_pin(lock)
        remote = list_remote(name, entry, old.commit if old else "", url or _address(old))
        pin = old or Pin(remote.source, remote.commit)
        if (pin.source, pin.commit) != (remote.source, remote.commit):
            raise WeightsError(
                f"{name} is pinned as of {pin.source}, this is {remote.source}; --update takes it "
                "from there and pins that instead"
            )
        folder = official_folder(name)
        _check_room(folder, remote, room)
        fetched = 0
        for file in remote.files:
            known = pin.files.get(file.path)
            if known is None or check_file(folder / file.path, file.path, known):
                expected = replace(file, sha256=known.sha256) if known else file
                got = _take(name, expected, folder / file.path, remote, report)
                fetched += 1
                pin = pin.with_file(file.path, got)
                write_pin(lock, pin)
        pin = replace(pin, complete=True)
        write_pin(lock, pin)
    return PullResult(folder, pin, fetched, len(remote.files))


def verify(name: str) -> Pin:
    """Compare every file with its pin; files that were placed by hand are pinned now.

    Raises WeightsError naming every file that is missing or differs.
    """
    folder, pin = official_folder(name), read_pin(lock_file(name))
    if pin is None or not pin.files:
        return _pin_placed(name, folder)
    wrong = [check_file(folder / path, path, known) for path, known in pin.files.items()]
    if problems := [problem for problem in wrong if problem]:
        raise WeightsError(
            f"{name} is not what was pinned: {'; '.join(problems)}; 'vlseg weights pull {name}' "
            "mends it"
        )
    if not pin.complete:
        raise WeightsError(f"{name} was fetched in part; 'vlseg weights pull {name}' goes on")
    return pin


def _pin_placed(name: str, folder: Path) -> Pin:
    placed = {
        str(file.relative_to(folder)): pinned_file(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.endswith(".part")
    }
    if not placed:
        raise WeightsError(
            f"{name} is not on this machine: 'vlseg weights pull {name}', or {by_hand(name)}"
        )
    pin = Pin("files placed by hand", complete=True, files=placed)
    write_pin(lock_file(name), pin)
    return pin


def remove(name: str) -> int:
    """Delete the files of a name, converted ones too; the pin stays. Returns the bytes freed."""
    home = official_folder(name).parent
    freed = 0
    for folder in (path for path in home.glob("*") if path.is_dir()):
        freed += sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        shutil.rmtree(folder)
    pin = read_pin(lock_file(name))
    if pin is not None:
        write_pin(lock_file(name), replace(pin, complete=False))
    return freed


def _take(
    name: str, file: RemoteFile, target: Path, remote: Remote, report: PullReport
) -> PinnedFile:
    """A file that lies there unpinned is taken as it is if the server says the same of it."""
    if target.is_file() and file.sha256 and pinned_file(target).sha256 == file.sha256:
        return pinned_file(target)
    with report(file.path, file.size) as advance:
        return fetch(name, file, target, remote.headers, advance)


def _address(pin: Pin | None) -> str:
    """The address that a user gave when the files were first fetched."""
    return pin.source if pin and "://" in pin.source else ""


def _check_room(folder: Path, remote: Remote, room: float) -> None:
    missing = 0
    for file in remote.files:
        target = folder / file.path
        there = [path for path in (target, part_of(file, target)) if path.is_file()]
        missing += max(0, (file.size or 0) - max((p.stat().st_size for p in there), default=0))
    if not missing:
        return
    needed = missing + remote.size * (room - 1) + _SPARE
    place = next(parent for parent in folder.parents if parent.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise OutputError(
            f"{folder} needs {needed / 1e9:.1f} GB more and its disk has {free / 1e9:.1f} GB free:"
            " free some place or set HF_HOME to a larger disk"
        )


@contextmanager
def _alone(name: str, lock: Path) -> Iterator[None]:
    """One process at a time fetches a name; a second is told so."""
    from filelock import FileLock, Timeout

    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock.with_name(".lock"), timeout=0):
            yield
    except Timeout as error:
        raise WeightsError(f"another vlseg is fetching {name}; wait for it") from error
    except OSError as error:
        raise OutputError(
            f"{lock.parent} cannot be written ({error.strerror}): free the place or set HF_HOME"
        ) from error
