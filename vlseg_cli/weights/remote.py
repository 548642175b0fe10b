"""What there is to fetch, and at which commit: one question to the Hugging Face Hub, or to a URL.

Only the verbs of ``vlseg weights`` that fetch come here; nothing else in vlseg uses the network.
"""

from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from vlseg_cli import __version__
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.catalog import CatalogEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

_AGENT = f"vlseg/{__version__}"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """path: below the official folder. size in bytes and sha256 where the server states them."""

    path: str
    url: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Remote:
    """headers are for the files alone; they hold the user's token, if there is one."""

    source: str
    commit: str
    files: tuple[RemoteFile, ...]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def size(self) -> int:
        """Bytes of all files whose size is known."""
        return sum(file.size or 0 for file in self.files)


def list_remote(name: str, entry: CatalogEntry, commit: str = "", url: str = "") -> Remote:
    """The files of an entry at ``commit``, or at its revision.

    url: an address that the user gives for an entry without one. Raises WeightsError in one
    sentence when offline, not allowed, or not there.
    """
    from huggingface_hub import is_offline_mode

    if is_offline_mode():
        raise WeightsError(
            f"{name} cannot be fetched while HF_HUB_OFFLINE is set; unset it, or {by_hand(name)}"
        )
    if url or entry.url:
        return _list_url(name, url or entry.url)
    if not entry.repository:
        raise WeightsError(
            f"vlseg knows no address of {name}; give one with --url, or {by_hand(name)}"
        )
    return _list_repository(name, entry, commit)


def by_hand(name: str) -> str:
    """The way out for those without a network."""
    from vlseg_cli.weights.resolve import official_folder

    return f"place its files into {official_folder(name)} by hand"


def _list_repository(name: str, entry: CatalogEntry, commit: str) -> Remote:
    from huggingface_hub import HfApi, get_token, hf_hub_url

    with explained(name, entry.repository):
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
    headers = {"user-agent": _AGENT, **({"authorization": f"Bearer {token}"} if token else {})}
    return Remote(entry.repository, info.sha or "", files, headers)


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


def _list_url(name: str, url: str) -> Remote:
    from huggingface_hub import get_session

    parts = urlsplit(url)
    file = PurePosixPath(unquote(parts.path)).name
    if parts.scheme not in ("https", "http") or file in ("", ".."):
        raise WeightsError(f"{url} is no address of a file: write https://…/FILE")
    headers = {"user-agent": _AGENT}
    with explained(name, url):
        answer = get_session().head(url, headers=headers, follow_redirects=True)
        answer.raise_for_status()
    length = answer.headers.get("content-length", "")
    return Remote(url, "", (RemoteFile(file, url, int(length) if length else None),), headers)


@contextmanager
def explained(name: str, source: str) -> "Iterator[None]":
    """What a server or the network refuses, as one sentence with the way out."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HTTPError,
        RevisionNotFoundError,
    )

    try:
        yield
    except GatedRepoError as error:
        raise WeightsError(
            f"{source} is gated: ask for access on its page, then set HF_TOKEN to a token of yours"
        ) from error
    except RevisionNotFoundError as error:
        raise WeightsError(f"{source} no longer has the revision that is asked for") from error
    except (HfHubHTTPError, HTTPError, OSError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        raise WeightsError(_refusal(name, source, status)) from error


def _refusal(name: str, source: str, status: int | None) -> str:
    if status in (401, 403):
        return f"{source} needs a token that may read it: set HF_TOKEN, or {by_hand(name)}"
    if status == 404:
        return f"there is nothing at {source}; it may have moved: {by_hand(name)}"
    if status is not None:
        return f"{source} answers with status {status}; try again later"
    return f"{source} cannot be reached; try again with a network, or {by_hand(name)}"
