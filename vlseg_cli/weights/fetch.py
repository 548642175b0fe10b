"""One file over the network: goes on where an earlier try broke off, appears only when whole."""

import errno
import hashlib
import time
from collections.abc import Callable, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from vlseg_cli.schema import OutputError, WeightsError
from vlseg_cli.weights.pins import PinnedFile, pinned_file
from vlseg_cli.weights.remote import RemoteFile, explained

_TRIES = 4  # without a byte of progress
_PAUSE = 0.5  # seconds before the second try, doubled before each later one
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Advance = Callable[[int], None]


def fetch(
    name: str, file: RemoteFile, target: Path, headers: Mapping[str, str], advance: Advance
) -> PinnedFile:
    """Fetch ``file`` to ``target`` and say what arrived.

    advance: called with the bytes that are there, those of an earlier try included. Raises
    WeightsError if the connection is lost for good, OutputError if the disk is full; either way the
    next call goes on from there.
    """
    part = part_of(file, target)
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab", buffering=0) as opened:
            advance(opened.tell())
            _persist(name, file, opened, headers, advance)
    except _DiskError as error:
        raise _unwritable(target, error.reason) from error
    except OSError as error:
        raise _unwritable(target, error) from error
    size = part.stat().st_size
    if file.size is not None and size != file.size:
        part.unlink()
        raise WeightsError(
            f"{file.path} arrived with {size} bytes instead of {file.size}; pull again"
        )
    pinned = pinned_file(part)
    if file.sha256 not in (None, pinned.sha256):
        part.unlink()
        raise WeightsError(
            f"{file.path} is not what was expected (its SHA-256 is {pinned.sha256[:12]}…, not "
            f"{str(file.sha256)[:12]}…): it was thrown away; pull again, and do not use it if this "
            "happens twice"
        )
    part.replace(target)
    return pinned


def part_of(file: RemoteFile, target: Path) -> Path:
    """Where the bytes lie until all are there; another file at the same place begins anew."""
    identity = f"{file.url} {file.size} {file.sha256}".encode()
    return target.with_name(f".{target.name}.{hashlib.sha256(identity).hexdigest()[:8]}.part")


def _persist(
    name: str,
    file: RemoteFile,
    opened: FileIO,
    headers: Mapping[str, str],
    advance: Advance,
) -> None:
    """Try again while there is progress, and a few times without."""
    tries = 0
    while file.size is None or opened.tell() < file.size:
        before = opened.tell()
        try:
            with explained(name, file.url):
                _download(file, opened, headers, advance)
            return
        except WeightsError as error:
            tries = 1 if opened.tell() > before else tries + 1
            if tries >= _TRIES or not _transient(error):
                raise
            time.sleep(_PAUSE * 2 ** (tries - 1))


def _download(
    file: RemoteFile, opened: FileIO, headers: Mapping[str, str], advance: Advance
) -> None:
    from huggingface_hub import get_session

    begin = opened.tell()
    asked = {**headers, "accept-encoding": "identity"}
    if begin:
        asked["range"] = f"bytes={begin}-"
    with get_session().stream("GET", file.url, headers=asked, follow_redirects=True) as answer:
        if answer.status_code == 416 and str(answer.headers.get("content-range")).endswith(
            f"/{begin}"
        ):
            return  # all of it was there already
        answer.raise_for_status()
        if begin and not _continues(answer, begin):
            opened.truncate(0)
            opened.seek(0)
            advance(-begin)
        for block in answer.iter_bytes():
            _write(opened, block)
            advance(len(block))


def _continues(answer: Any, begin: int) -> bool:
    """True if the server sends the rest, False if it sends the whole file again."""
    return answer.status_code == 206 and str(answer.headers.get("content-range", "")).startswith(
        f"bytes {begin}-"
    )


class _DiskError(Exception):
    """Keeps what the disk refuses apart from what the network refuses; both are OSErrors."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _write(opened: FileIO, block: bytes) -> None:
    rest = memoryview(block)
    try:
        while rest:
            rest = rest[opened.write(rest) :]
    except OSError as error:
        raise _DiskError(error) from error


def _transient(error: WeightsError) -> bool:
    """True for what a second try may mend: no answer, or a server in trouble."""
    status = getattr(getattr(error.__cause__, "response", None), "status_code", None)
    return status is None or status == 429 or status >= 500


def _unwritable(target: Path, error: OSError) -> OutputError:
    if error.errno in _FULL:
        return OutputError(
            f"the disk is too full for {target}: free some place and pull again, which goes on"
        )
    return OutputError(f"{target} cannot be written ({error.strerror}): free the place, pull again")
