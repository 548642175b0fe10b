"""What was fetched first is what is fetched ever after: commit, size and SHA-256 of every file.

One JSON file per name beside the weights. It survives ``vlseg weights rm``, so that fetching again
brings the same bytes or an error.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from vlseg_cli.outputs.atomic import make_folder, write_atomically
from vlseg_cli.schema import WeightsError


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """size in bytes, sha256 in hexadecimal digits."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Pin:
    """source: repository or address; commit: '' where there is none. complete: all was fetched."""

    source: str
    commit: str = ""
    complete: bool = False
    files: Mapping[str, PinnedFile] = field(default_factory=dict)

    def with_file(self, path: str, pinned: PinnedFile) -> "Pin":
        """The same with one more file."""
        return replace(self, files={**self.files, path: pinned})


def read_pin(file: Path) -> Pin | None:
    """The pin, None if there is none yet. Raises WeightsError if the file is damaged."""
    if not file.is_file():
        return None
    try:
        table = json.loads(file.read_text("utf-8"))
        files = {path: PinnedFile(**pinned) for path, pinned in table.pop("files").items()}
        return Pin(**table, files=files)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise WeightsError(
            f"{file} is damaged; delete it if you trust what will be fetched next"
        ) from error


def write_pin(file: Path, pin: Pin) -> None:
    """Replace the pin in one step. Raises OutputError if the disk refuses."""
    make_folder(file.parent)
    write_atomically(file, json.dumps(asdict(pin), indent=1).encode())


def pinned_file(file: Path) -> PinnedFile:
    """Size and SHA-256 of a file as it lies there."""
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return PinnedFile(file.stat().st_size, digest)


def check_file(file: Path, path: str, expected: PinnedFile) -> str:
    """'' if ``file`` is what was pinned, else what is wrong with it, as half a sentence."""
    if not file.is_file():
        return f"{path} is missing"
    size = file.stat().st_size
    if size != expected.size:
        return f"{path} has {size} bytes instead of {expected.size}"
    found = pinned_file(file).sha256
    if found != expected.sha256:
        return f"{path} has SHA-256 {found[:12]}… instead of the pinned {expected.sha256[:12]}…"
    return ""
