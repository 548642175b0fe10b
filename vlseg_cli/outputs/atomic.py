"""Atomic writes: a temporary name, fsync, then rename.

A killed run leaves at most hidden ``.part`` files, never a partial result under its final name;
renaming replaces a link at the target instead of following it. Temporary files are beside the
target or in a staging folder: when that is removed, its process can no longer change anything.
"""

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from vlseg_cli.schema import FencedError, OutputError

_READABLE = 0o644
LEFTOVER = re.compile(r"\.[0-9a-f]{16}\.(part|draft|stale|clock)")


class AtomicFile:
    """A file that is written under a temporary name until ``commit``."""

    def __init__(self, path: Path, staging: Path | None = None) -> None:
        """Start a file; its folder must exist. Raises OutputError if it cannot be written."""
        self.path, self._staging = path, staging
        self._part = temporary_path(staging or path.parent)
        try:
            self._file = self._part.open("xb")
        except OSError as error:
            raise write_error(path, error, staging) from error
        with contextlib.suppress(OSError):  # as long as this process lives
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def write(self, data: bytes) -> None:
        """Append to the file. Raises OutputError, and leaves nothing, if writing fails."""
        with self.open_file() as file:
            file.write(data)

    @contextlib.contextmanager
    def open_file(self) -> Iterator[BinaryIO]:
        """The open, seekable file, for a library that writes it.

        Raises OutputError for an OSError of the block. Whatever the block raises, nothing is left.
        """
        try:
            yield self._file
        except OSError as error:
            self.discard()
            raise write_error(self.path, error) from error
        except BaseException:
            self.discard()
            raise

    def sync(self) -> None:
        """End writing; the file keeps its temporary name. Raises OutputError as ``write``."""
        with self.open_file() as file:
            file.flush()
            os.fsync(file.fileno())
            file.close()

    def commit(self) -> None:
        """Sync the file and rename it to its final name. Raises OutputError as ``write``."""
        if not self._file.closed:
            self.sync()
        try:
            self._part.replace(self.path)
        except OSError as error:
            self.discard()
            raise write_error(self.path, error, self._staging) from error
        _sync_folder(self.path.parent)

    def discard(self) -> None:
        """Remove the temporary file."""
        with contextlib.suppress(OSError):  # closing flushes, which a full disk refuses again
            self._file.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes, staging: Path | None = None) -> None:
    """Write a whole file. Raises OutputError if it cannot be written."""
    file = AtomicFile(path, staging)
    file.write(data)
    file.commit()


def write_by_name(path: Path, write: Callable[[Path], object]) -> None:
    """Write a whole file with a library that takes a path instead of an open file.

    write: called with the temporary path. Raises OutputError for its OSError.
    """
    part = temporary_path(path.parent)
    try:
        write(part)
        part.chmod(_READABLE)  # some libraries create files that only the owner can read
        _sync(part)
        part.replace(path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents. Raises OutputError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error


def remove_partial_files(folder: Path) -> None:
    """Remove temporary files of killed writers below a folder; those in use are left alone."""
    for parent, _, names in os.walk(folder):
        for name in filter(LEFTOVER.fullmatch, names):
            path = Path(parent, name)
            with contextlib.suppress(OSError), path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def write_error(path: Path, error: OSError, staging: Path | None = None) -> OutputError:
    """The error for a path that cannot be written: a FencedError if the staging folder is gone."""
    is_gone = isinstance(error, FileNotFoundError | FileExistsError)
    if is_gone and staging is not None and not staging.is_dir():
        return FencedError(f"{path} is not written: another process has taken over this work.")
    reason = (error.strerror or "unknown reason").lower()
    return OutputError(f"{path} cannot be written ({reason}): free the place or choose another.")


def temporary_path(folder: Path) -> Path:
    """Independent of the target's name, which may already have the maximal length."""
    return folder / f".{secrets.token_hex(8)}.part"


def _sync_folder(folder: Path) -> None:
    """Make a rename durable, where the system can sync folders."""
    with contextlib.suppress(OSError):
        _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
