"""A digest of a model's files that changes with any byte of them.

Reading a model of many gigabytes twice on every start is too slow, so the digest of a large file is
remembered by path, size, times and inode. A job writes nothing outside its output folder: it
remembers only in ``$VLSEG_CACHE``, which the user named. ``vlseg weights pull``, ``verify`` and
``convert`` also remember beside the weights that they manage, for every later job.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vlseg_cli.outputs.atomic import write_atomically
from vlseg_cli.schema import OutputError, WeightsError
from vlseg_cli.schema.files import open_regular, read_json, reason_of
from vlseg_cli.weights.pins import digests_file, weights_home
from vlseg_cli.weights.resolve import is_deepspeed, model_states

VARIABLE = "VLSEG_CACHE"

_ENTRIES = 1024  # in one memory; the oldest are forgotten
_LARGE = 256 << 20  # bytes; smaller files are read each time
_THREADS = 4  # hashing is slower than a disk
_SETTLED = (
    2_000_000_000  # ns: a file that changed just now may change again within one tick of its clock
)
_READ = (".json", ".safetensors", ".bin", ".pth", ".pt", ".pkl", ".txt", ".model")

# By path: the state of the file (size, times, inode) and its SHA-256.
Memory = dict[str, tuple[list[int], str]]
_in_process: Memory = {}
_NOTHING: Mapping[Path, str] = {}


def default_cache_folder() -> Path | None:
    """The cache folder named by the environment variable, if any."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser() if named else None


def model_digest(directory: Path) -> str:
    """16 hexadecimal digits that change with the model's files (cards and notes aside).

    Raises WeightsError if a file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        files = _model_files(directory)
        large = _large_digests(directory, [path for path in files if _is_large(path)])
        for path in files:
            digest.update(f"{path.name} {path.stat().st_size}\n".encode())
            if path in large:
                digest.update(large[path].encode())
                continue
            with open_regular(path, None) as file:
                while block := file.read(1 << 20):
                    digest.update(block)
    except OSError as error:
        raise WeightsError(f"{error.filename} cannot be read ({reason_of(error)})") from error
    return digest.hexdigest()[:16]


def remember_digests(directory: Path, known: Mapping[Path, str] = _NOTHING) -> None:
    """Remember the digests of a folder of the weights home that was just written or checked.

    known: the SHA-256 of files by path; the other large ones are read now.
    """
    if (memory := _memory_beside(directory)) is None:
        return
    for path in _model_files(directory):
        if _is_large(path):
            _in_process[_key(path)] = _state(path), known.get(path) or _sha256(path)
    _save(memory, directory)


def _model_files(directory: Path) -> list[Path]:
    """The files that are read; DeepSpeed keeps the weights in a folder of its own."""
    folders = [directory, *([model_states(directory).parent] if is_deepspeed(directory) else [])]
    files = (path for folder in folders for path in sorted(folder.iterdir()))
    return [path for path in files if path.suffix in _READ and path.is_file()]


def _is_large(path: Path) -> bool:
    return path.stat().st_size > _LARGE


def _large_digests(directory: Path, files: Sequence[Path]) -> dict[Path, str]:
    """SHA-256 of large files; those that no memory knows are read, several at a time."""
    if not files:
        return {}
    cache = default_cache_folder()
    kept = cache / "digests.json" if cache else None
    known = _load(kept) | _load(_memory_beside(directory)) | _in_process
    states = {path: _state(path) for path in files}
    unknown = [path for path in files if known.get(_key(path), ((), ""))[0] != states[path]]
    with ThreadPoolExecutor(_THREADS) as pool:
        read = dict(zip(unknown, pool.map(_sha256, unknown), strict=True))
    settled = time.time_ns() - _SETTLED
    for path, digest in read.items():
        if _state(path) == states[path] and max(states[path][1:3]) < settled:
            _in_process[_key(path)] = states[path], digest
    if kept is not None and read:
        _save(kept, directory)
    return {path: read.get(path) or known[_key(path)][1] for path in files}


def _sha256(path: Path) -> str:
    with open_regular(path, None) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key(path: Path) -> str:
    return str(path.resolve())


def _state(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _memory_beside(directory: Path) -> Path | None:
    """The memory of ``$HF_HOME/vlseg/NAME``, for a folder of weights below it."""
    with contextlib.suppress(ValueError):
        inside = directory.resolve().relative_to(weights_home().resolve())
        return digests_file(inside.parts[0]) if len(inside.parts) > 1 else None
    return None


def _load(file: Path | None) -> Memory:
    """A memory; empty if there is none, or if it is damaged."""
    if file is None:
        return {}
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        table: dict[str, Any] = read_json(file, 1 << 24)
        return {key: (list(state), str(digest)) for key, (state, digest) in table.items()}
    return {}


def _save(file: Path, within: Path) -> None:
    """Add to a memory what this process knows of a folder's files; it is safe to lose."""
    root = _key(within)
    new = {key: entry for key, entry in _in_process.items() if Path(key).is_relative_to(root)}
    old = {key: entry for key, entry in _load(file).items() if key not in new}
    kept = dict([*old.items(), *new.items()][-_ENTRIES:])
    with contextlib.suppress(OSError, OutputError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(kept).encode())
