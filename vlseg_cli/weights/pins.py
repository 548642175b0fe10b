"""Where published weights lie on this machine, and their pins: what was fetched first.

``$HF_HOME/vlseg/NAME/official`` has the files as published, ``model`` beside it the same weights as
a model folder of ours, and ``lock.json`` commit, size and SHA-256 of every file as first fetched.
It survives ``vlseg weights rm``, so that fetching again gives the same bytes or an error.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from vlseg_cli.outputs.atomic import make_folder, write_atomically
from vlseg_cli.schema import WeightsError
from vlseg_cli.schema.files import read_json


def weights_home() -> Path:
    """``$HF_HOME/vlseg``; HF_HOME defaults to ``$XDG_CACHE_HOME/huggingface``."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{cache}/huggingface"
    return Path(os.path.expandvars(home)).expanduser() / "vlseg"


def official_folder(name: str) -> Path:
    """The files as their authors published them."""
    return weights_home() / name / "official"


def converted_folder(name: str) -> Path:
    """The same weights as a model folder of ours."""
    return weights_home() / name / "model"


def lock_file(name: str) -> Path:
    """What was fetched first: commit, sizes and SHA-256 of every file."""
    return weights_home() / name / "lock.json"


def digests_file(name: str) -> Path:
    """Digests of the large files of both folders, see digest.py; it is safe to lose."""
    return weights_home() / name / "digests.json"


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """size in bytes, sha256 in hexadecimal digits."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Pin:
    """source: repository or URL; commit: '' where there is none. complete: all was fetched."""

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
        table = read_json(file)
        files = {path: PinnedFile(**pinned) for path, pinned in table.pop("files").items()}
        return Pin(**table, files=files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise WeightsError(
            f"{file} is damaged; delete it if you trust what will be fetched next"
        ) from error


def write_pin(file: Path, pin: Pin) -> None:
    """Replace the pin in one step. Raises OutputError if the disk refuses."""
    make_folder(file.parent)
    write_atomically(file, json.dumps(asdict(pin), indent=1).encode())


def pinned_file(file: Path) -> PinnedFile:
    """Size and SHA-256 of a file on disk."""
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


def verify(name: str) -> Pin:
    """Compare every file with its pin; files that were placed by hand are pinned now.

    Raises WeightsError naming every file that is missing or differs.
    """
    folder, pin = official_folder(name), read_pin(lock_file(name))
    if pin is None or not pin.files:
        return _pin_placed(name, folder)
    checked = [check_file(folder / path, path, known) for path, known in pin.files.items()]
    if problems := [problem for problem in checked if problem]:
        raise WeightsError(
            f"{name} is not what was pinned: {'; '.join(problems)}; 'vlseg weights pull {name}' "
            "fetches these files again"
        )
    if not pin.complete:
        raise WeightsError(f"{name} was fetched in part; 'vlseg weights pull {name}' resumes")
    return pin


def by_hand(name: str) -> str:
    """What to do without a network, as the end of a sentence."""
    return f"place its files into {official_folder(name)} by hand"


def remove(name: str) -> int:
    """Delete the files of a name, converted ones too; the pin stays. Returns the bytes freed."""
    freed = 0
    digests_file(name).unlink(missing_ok=True)
    for folder in filter(Path.is_dir, official_folder(name).parent.glob("*")):
        freed += sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        shutil.rmtree(folder)
    if pin := read_pin(lock_file(name)):
        write_pin(lock_file(name), replace(pin, complete=False))
    return freed


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
