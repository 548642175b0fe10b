"""Opening and parsing small files that a user names or a model folder holds.

A pipe would block and a device never end, so only a regular file within a size limit is opened.
JSON and TOML of hostile depth, numbers of thousands of digits and broken UTF-8 are a ValueError
like any other damage. Callers turn OSError and ValueError into their sentence.
"""

import errno
import json
import os
import stat
import tomllib
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar

LARGEST = 1 << 28  # bytes of a table, an index or a tokenizer

T = TypeVar("T")


def open_regular(path: Path, largest: int | None = LARGEST) -> BufferedReader:
    """A regular file of at most ``largest`` bytes, opened for reading; None: of any size.

    Raises OSError; its ``strerror`` says what is wrong with the file.
    """
    try:
        check_regular(path, path.stat(), largest)
        # A file may become a pipe between the two checks: opening it must not block.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except ValueError as error:  # a NUL in the path
        raise OSError(errno.EINVAL, "no possible path", str(path)) from error
    file = os.fdopen(descriptor, "rb")
    try:
        check_regular(path, os.fstat(descriptor), largest)
    except OSError:
        file.close()
        raise
    return file


def check_regular(path: Path, status: os.stat_result, largest: int | None = LARGEST) -> None:
    """Raise OSError unless a file with this status may be opened."""
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "Is a directory", str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    if largest is not None and status.st_size > largest:
        reason = f"{status.st_size / 1e6:,.0f} MB, over the limit of {largest / 1e6:,.0f} MB"
        raise OSError(errno.EINVAL, reason, str(path))


def read_regular(path: Path, largest: int = LARGEST) -> bytes:
    """The bytes of such a file. Raises OSError."""
    with open_regular(path, largest) as file:
        data = file.read(os.fstat(file.fileno()).st_size + 1)
        while len(data) <= largest and (more := file.read(1 << 20)):  # its size was not stated
            data += more
    if len(data) > largest:
        raise OSError(errno.EINVAL, f"over the limit of {largest / 1e6:,.0f} MB", str(path))
    return data


def read_json(path: Path, largest: int = LARGEST) -> Any:
    """A JSON file. Raises OSError, or ValueError if it is damaged."""
    return parse_json(read_regular(path, largest))


def parse_json(text: str | bytes) -> Any:
    """A JSON text, UTF-8 if bytes. Raises ValueError, for too deep nesting as well."""
    return _shallow(json.loads, text)


def read_toml(path: Path, largest: int = LARGEST) -> dict[str, Any]:
    """A TOML file. Raises OSError, or ValueError if it is damaged."""
    return _shallow(tomllib.loads, read_regular(path, largest).decode("utf-8"))


def _shallow(parse: Callable[..., T], text: str | bytes) -> T:
    try:
        return parse(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def check_folder(directory: Path) -> None:
    """Raise OSError unless all that a library may open in a folder are regular files or folders."""
    for path in directory.iterdir():
        if not path.is_dir():
            check_regular(path, path.stat(), None)


def reason_of(error: OSError | ValueError) -> str:
    """What is wrong with a file, as a clause for a sentence that names the file."""
    if isinstance(error, OSError):
        return (error.strerror or "it cannot be read").lower()
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return " ".join(str(error).split())[:160]
