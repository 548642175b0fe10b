"""Fetching published weights by name: checked before and after, pinned at first use, resumable.

huggingface_hub lists a repository and transfers bytes (``http_get``). Its ``hf_hub_download`` does
not fit: it discards what has arrived when a transfer breaks off. Nothing else in vlseg uses the
network.
"""

import errno
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from vlseg_cli import __version__
from vlseg_cli.schema import OutputError, WeightsError
from vlseg_cli.weights.catalog import CatalogEntry
from vlseg_cli.weights.pins import (
    Pin,
    PinnedFile,
    by_hand,
    check_file,
    lock_file,
    official_folder,
    pinned_file,
    read_pin,
    write_pin,
)

_SPARE = 64 << 20  # bytes that are left free
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_AGENT = {"user-agent": f"vlseg/{__version__}"}


class PullReport(Protocol):
    """Shows the progress of a file: yields what to call with the number of bytes that arrived."""

    def __call__(
        self, path: str, size: int | None
    ) -> AbstractContextManager[Callable[[int], None]]: ...


@dataclass(frozen=True, slots=True)
class PullResult:
    """fetched of files came over the network; the others were there and are as pinned."""

    folder: Path
    pin: Pin
    fetched: int
    files: int


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """path: below the official folder. size in bytes and sha256 where the server states them."""

    path: str
    url: str
    size: int | None = None
    sha256: str | None = None

    def part(self, target: Path) -> Path:
        """Where bytes are collected until all have arrived; another content has another name."""
        identity = hashlib.sha256(f"{self.url} {self.size} {self.sha256}".encode()).hexdigest()
        return target.with_name(f".{target.name}.{identity[:8]}.part")


@dataclass(frozen=True, slots=True)
class Remote:
    """What a server offers. headers are for the files alone; they hold the user's token, if any."""

    source: str
    commit: str
    files: tuple[RemoteFile, ...]
    headers: Mapping[str, str]


def pull(
    name: str,
    entry: CatalogEntry,
    report: PullReport,
    update: bool = False,
    url: str = "",
    room: float = 1,
) -> PullResult:
    """Fetch what is missing of an entry and check the rest against its pin.

    update: take what is published now and pin that instead. url: for an entry without one.
    room: how many times the files' size must be free. Raises WeightsError or OutputError in one
    sentence; pulling again resumes.
    """
    lock, folder = lock_file(name), official_folder(name)
    with _exclusive(name, lock):
        old = None if update else read_pin(lock)
        # A URL that the user gave when the files were first fetched is remembered.
        url = url or (old.source if old and "://" in old.source else "")
        remote = list_remote(name, entry, old.commit if old else "", url)
        pin = old or Pin(remote.source, remote.commit)
        if (pin.source, pin.commit) != (remote.source, remote.commit):
            raise WeightsError(
                f"{name} is pinned as of {pin.source}, this is {remote.source}; --update fetches "
                "it from there and pins that instead"
            )
        _check_room(folder, remote, room)
        fetched = 0
        for file in remote.files:
            known, target = pin.files.get(file.path), folder / file.path
            if known is None or check_file(target, file.path, known):
                expected = replace(file, sha256=known.sha256) if known else file
                got = _fetch(name, expected, target, remote.headers, report)
                fetched += 1
                pin = pin.with_file(file.path, got)
                write_pin(lock, pin)
        pin = replace(pin, complete=True)
        write_pin(lock, pin)
    return PullResult(folder, pin, fetched, len(remote.files))


def list_remote(name: str, entry: CatalogEntry, commit: str = "", url: str = "") -> Remote:
    """The files of an entry at ``commit``, or at its revision.

    url: given by the user, for an entry without one. Raises WeightsError in one sentence when
    offline, not allowed, or not there.
    """
    from huggingface_hub import is_offline_mode

    if is_offline_mode():
        raise WeightsError(
            f"{name} cannot be fetched while HF_HUB_OFFLINE is set; unset it, or {by_hand(name)}"
        )
    if url or entry.url:
        return _list_url(name, url or entry.url)
    if not entry.repository:
        raise WeightsError(f"{name} has no URL; give one with --url, or {by_hand(name)}")
    return _list_repository(name, entry, commit)


def wanted(paths: Iterable[str], patterns: tuple[str, ...]) -> list[str]:
    """Those that match; a pickle is left out where safetensors hold the same.

    Raises WeightsError for a path that leads out of the folder, or that no folder can hold.
    """
    chosen = sorted(p for p in paths if any(fnmatchcase(p, pattern) for pattern in patterns))
    for path in chosen:
        parts = PurePosixPath(path).parts
        if ".." in parts or path.startswith("/") or "\\" in path or not parts:
            raise WeightsError(f"the repository names a file outside of its folder: {path!r}")
        if not path.isprintable():  # NUL, line breaks, halves of characters
            raise WeightsError(f"the repository names a file that no disk can hold: {path!a}")
    if any(path.endswith(".safetensors") for path in chosen):
        chosen = [path for path in chosen if not path.endswith((".bin", ".bin.index.json"))]
    return chosen


def _list_repository(name: str, entry: CatalogEntry, commit: str) -> Remote:
    from huggingface_hub import HfApi, get_token, hf_hub_url

    with _explained(name, entry.repository):
        info = HfApi(library_name="vlseg", library_version=__version__).model_info(
            entry.repository, revision=commit or entry.revision, files_metadata=True
        )
    siblings = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    files = tuple(
        RemoteFile(
            path,
            hf_hub_url(entry.repository, path, revision=info.sha),
            siblings[path].size,
            getattr(siblings[path].lfs, "sha256", None),
        )
        for path in wanted(siblings, entry.files)
    )
    if not files:
        raise WeightsError(f"{entry.repository} has none of the files {', '.join(entry.files)}")
    token = get_token()
    headers = {**_AGENT, **({"authorization": f"Bearer {token}"} if token else {})}
    return Remote(entry.repository, info.sha or "", files, headers)


def _list_url(name: str, url: str) -> Remote:
    from huggingface_hub import get_session

    parts = urlsplit(url)
    file = PurePosixPath(unquote(parts.path)).name
    if parts.scheme not in ("https", "http") or file in ("", ".."):
        raise WeightsError(f"{url} is no URL of a file: write https://…/FILE")
    with _explained(name, url):
        response = get_session().head(url, headers=_AGENT, follow_redirects=True)
        response.raise_for_status()
    length = response.headers.get("content-length", "")
    return Remote(url, "", (RemoteFile(file, url, int(length) if length else None),), _AGENT)


def _fetch(
    name: str, file: RemoteFile, target: Path, headers: Mapping[str, str], report: PullReport
) -> PinnedFile:
    """Fetch one file, starting where an earlier attempt broke off; it appears when complete.

    One that is there already, unpinned, is accepted if the server states its SHA-256.
    """
    if target.is_file() and file.sha256 and pinned_file(target).sha256 == file.sha256:
        return pinned_file(target)
    part = file.part(target)
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("ab") as opened, report(file.path, file.size) as advance:
        if file.size is None or opened.tell() > file.size:
            opened.truncate(0)
        _transfer(name, file, opened, headers, advance)
    got = pinned_file(part)
    if file.size not in (None, got.size):
        part.unlink()
        raise WeightsError(
            f"{file.path} arrived with {got.size} bytes instead of {file.size}; pull again"
        )
    if file.sha256 not in (None, got.sha256):
        part.unlink()
        raise WeightsError(
            f"{file.path} is not what was expected (its SHA-256 is {got.sha256[:12]}…, not "
            f"{str(file.sha256)[:12]}…) and was deleted; pull again, and do not use it if this "
            "happens twice"
        )
    part.replace(target)
    return got


def _transfer(
    name: str,
    file: RemoteFile,
    opened: Any,
    headers: Mapping[str, str],
    advance: Callable[[int], None],
) -> None:
    """Append what is missing; huggingface_hub retries as long as bytes arrive."""
    from huggingface_hub.file_download import http_get

    def progress(*, initial: int, **_: object) -> AbstractContextManager[SimpleNamespace]:
        advance(initial)
        return nullcontext(SimpleNamespace(update=advance))

    there = opened.tell()
    if there == file.size:
        advance(there)
        return
    with _explained(name, file.url):
        http_get(
            file.url,
            opened,
            resume_size=there,
            headers={**headers, "accept-encoding": "identity"},
            displayed_filename=file.path,
            tqdm_class=progress,
        )


def _check_room(folder: Path, remote: Remote, room: float) -> None:
    missing = 0
    for file in remote.files:
        target = folder / file.path
        there = [path for path in (target, file.part(target)) if path.is_file()]
        missing += max(0, (file.size or 0) - max((p.stat().st_size for p in there), default=0))
    if not missing:
        return
    needed = missing + sum(file.size or 0 for file in remote.files) * (room - 1) + _SPARE
    free = shutil.disk_usage(next(parent for parent in folder.parents if parent.exists())).free
    if needed > free:
        raise OutputError(
            f"{folder} needs {needed / 1e9:.1f} GB more and its disk has {free / 1e9:.1f} GB free:"
            " free some space or set HF_HOME to a larger disk"
        )


@contextmanager
def _exclusive(name: str, lock: Path) -> Iterator[None]:
    """One process at a time fetches a name; what the disk refuses becomes one sentence."""
    from filelock import FileLock, Timeout

    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock.with_name(".lock"), timeout=0):
            yield
    except Timeout as error:
        raise WeightsError(f"another vlseg is fetching {name}; wait for it") from error
    except OSError as error:
        if error.errno in _FULL:
            raise OutputError(
                f"the disk is too full for {lock.parent}: free some space and pull again, which "
                "resumes"
            ) from error
        raise OutputError(
            f"{lock.parent} cannot be written ({error.strerror}): free it or set HF_HOME"
        ) from error


@contextmanager
def _explained(name: str, source: str) -> Iterator[None]:
    """What a server or the network refuses, as one sentence with the way out."""
    from huggingface_hub.errors import GatedRepoError, HTTPError, RevisionNotFoundError

    try:
        yield
    except GatedRepoError as error:
        raise WeightsError(
            f"{source} is gated: ask for access on its page, then set HF_TOKEN to a token of yours"
        ) from error
    except RevisionNotFoundError as error:
        raise WeightsError(f"{source} no longer has the requested revision") from error
    except (HTTPError, OSError) as error:
        if getattr(error, "errno", None) is not None:
            raise  # the disk, not the network
        status = getattr(getattr(error, "response", None), "status_code", None)
        raise WeightsError(_refusal(name, source, status)) from error


def _refusal(name: str, source: str, status: int | None) -> str:
    if status in (401, 403):
        return f"{source} needs a token that may read it: set HF_TOKEN, or {by_hand(name)}"
    if status == 404:
        return f"there is nothing at {source}; it may have moved: {by_hand(name)}"
    if status is not None:
        return f"{source} responds with status {status}; try again later"
    return f"{source} cannot be reached; try again with a network, or {by_hand(name)}"
