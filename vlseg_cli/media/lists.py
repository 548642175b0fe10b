"""Lists of paths: a text file with one path a line, or what a pipe hands over on stdin."""

from collections.abc import Iterator
from os import fsdecode
from pathlib import Path
from typing import BinaryIO

from vlseg_cli.schema import NoInputError

LIST_EXTENSIONS = frozenset((".lst", ".txt"))
_LONGEST = 1 << 16  # bytes; no path is longer, so what has longer lines is no list
_BOM = b"\xef\xbb\xbf"


def list_lines(path: Path) -> Iterator[str]:
    """The paths of a text list; blank lines and those that begin with # are left out.

    A relative path means the working directory, or else the list's own folder. Raises NoInputError
    if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            for line in _pieces(file, b"\n", str(path)):
                if not line.startswith(b"#"):
                    yield _located(fsdecode(line), path.parent)
    except OSError as error:
        reason = (error.strerror or "damaged").lower()
        raise NoInputError(f"The list {path} cannot be read ({reason}).") from error


def stdin_lines(stdin: BinaryIO, nul: bool) -> Iterator[str]:
    """The paths that stdin names, one a line, or one before each NUL byte."""
    for line in _pieces(stdin, b"\0" if nul else b"\n", "on stdin"):
        yield fsdecode(line)


def _located(line: str, folder: Path) -> str:
    """Where the file is; as written if it is nowhere."""
    beside = folder / line
    return str(beside) if not _exists(Path(line)) and _exists(beside) else line


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _pieces(file: BinaryIO, end: bytes, name: str) -> Iterator[bytes]:
    """What lies between ends, without blank pieces; little of it is in memory at a time."""
    rest, is_first = b"", True
    while chunk := file.read(_LONGEST):
        *pieces, rest = (rest + chunk).split(end)
        if is_first and pieces:
            pieces[0], is_first = pieces[0].removeprefix(_BOM), False
        if len(rest) > _LONGEST:
            raise NoInputError(f"The list {name} has a line longer than any path: is it a list?")
        yield from filter(None, (_trimmed(piece, end) for piece in pieces))
    if rest := _trimmed(rest.removeprefix(_BOM) if is_first else rest, end):
        yield rest


def _trimmed(piece: bytes, end: bytes) -> bytes:
    """Without the carriage return of a line; blank lines become empty."""
    if end != b"\n":
        return piece
    return piece.removesuffix(b"\r") if piece.strip() else b""
