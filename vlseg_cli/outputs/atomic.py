"""Files that appear whole or not at all: a temporary name beside the target, fsync, then rename.

A run that is killed leaves at most hidden ``.part`` files behind, never half a result under its
own name; and renaming replaces a link at the target instead of following it.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from vlseg_cli.schema import OutputError

_READABLE = 0o644
_LEFTOVER = re.compile(r"\.[0-9a-f]{16}\.part")


class AtomicFile:
    """A file that grows out of sight until ``commit`` shows it under its name."""

    def __init__(self, path: Path) -> None:
        """Begin a file; its folder must exist. Raises OutputError if it cannot be written."""
        self.path = path
        self._part = _temporary_path(path)
        try:
            self._file = self._part.open("xb")
        except OSError as error:
            raise write_error(path, error) from error

    def write(self, data: bytes) -> None:
        """Append to the file. Raises OutputError, and leaves nothing, if the disk refuses."""
        with self.open_file() as file:
            file.write(data)

    @contextlib.contextmanager
    def open_file(self) -> Iterator[BinaryIO]:
        """The file itself, seekable, for a library that writes it in its own way.

        Raises OutputError if the disk refuses what the block writes. Whatever the block raises,
        nothing is left.
        """
        try:
            yield self._file
        except OSError as error:
            self.discard()
            raise write_error(self.path, error) from error
        except BaseException:
            self.discard()
            raise

    def commit(self) -> None:
        """Show the file under its name, safe on disk. Raises OutputError as ``write``."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.replace(self.path)
        except OSError as error:
            self.discard()
            raise write_error(self.path, error) from error
        _sync_folder(self.path.parent)

    def discard(self) -> None:
        """Drop what was written; nothing appears."""
        with contextlib.suppress(OSError):  # closing flushes, which a full disk refuses again
            self._file.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a whole file at once. Raises OutputError if it cannot be written."""
    file = AtomicFile(path)
    file.write(data)
    file.commit()


def write_by_name(path: Path, write: Callable[[Path], object]) -> None:
    """Have a library write a whole file that wants a name instead of an open file.

    write: called with that name, raises OSError if the disk refuses; which is OutputError here.
    """
    part = _temporary_path(path)
    try:
        write(part)
        part.chmod(_READABLE)  # some libraries write what only its owner may read
        _sync(part)
        part.replace(path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Have a folder and all above it. Raises OutputError if it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error


def remove_partial_files(folder: Path) -> None:
    """Remove what killed writers left anywhere below a folder; nobody may be writing there now."""
    for parent, _, names in os.walk(folder):
        for name in filter(_LEFTOVER.fullmatch, names):
            with contextlib.suppress(OSError):
                Path(parent, name).unlink()


def write_error(path: Path, error: OSError) -> OutputError:
    """The sentence for a path that the system does not let us write."""
    reason = (error.strerror or "unknown reason").lower()
    return OutputError(f"{path} cannot be written ({reason}): free the place or choose another.")


def _temporary_path(path: Path) -> Path:
    """Kept apart from the target's name, which may already be as long as a name can be."""
    return path.parent / f".{secrets.token_hex(8)}.part"


def _sync_folder(folder: Path) -> None:
    """Make a rename outlive a power cut, where the system can sync folders at all."""
    with contextlib.suppress(OSError):
        _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
