"""Input listing: files, folders, glob patterns and text lists, each file once, in order.

Files in folders are selected by extension; a file named explicitly is taken as it is, and its
content decides whether it can be decoded. Files are found one at a time: there may be millions.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from glob import glob, has_magic
from hashlib import blake2b
from os import fsdecode
from pathlib import Path
from typing import BinaryIO

from vlseg_cli.media.formats import IMAGE_EXTENSIONS, VIDEO_EXTENSIONS, is_video
from vlseg_cli.schema import Input, NoInputError
from vlseg_cli.schema.errors import nearest

_EXTENSIONS = IMAGE_EXTENSIONS | VIDEO_EXTENSIONS


def is_input(name: str) -> bool:
    """Whether a file in a folder is selected: an image or a video by extension, not hidden."""
    return not name.startswith(".") and Path(name).suffix.lower() in _EXTENSIONS


def walk(folder: str, outside: str | None) -> Iterator[str]:
    """All inputs below a folder.

    Hidden and linked folders, ``outside`` and results of jobs are not entered.

    outside: a real path, or None.
    """
    branches = [_folder_entries(folder, outside)]
    while branches:
        path, is_folder = next(branches[-1], ("", False))
        if not path:
            branches.pop()
        elif is_folder:
            branches.append(_folder_entries(path, outside))
        else:
            yield path


def is_within(folder: str, outside: str | None) -> bool:
    """Whether a folder is ``outside`` or below it."""
    return outside is not None and Path(os.path.realpath(folder)).is_relative_to(outside)


def _folder_entries(folder: str, outside: str | None) -> Iterator[tuple[str, bool]]:
    """Inputs and folders of one folder, sorted by name, and which are folders."""
    if is_within(folder, outside) or _holds_results(folder):
        return
    names: list[str] = []
    folders: set[str] = set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith("."):
                        folders.add(entry.name)
                elif is_input(entry.name):
                    names.append(entry.name)
    except OSError:
        return  # an unreadable folder has no inputs
    for name in sorted([*names, *folders]):
        yield str(Path(folder, name)), name in folders


def _holds_results(folder: str) -> bool:
    """Whether it is the output folder of a job, whose overlays are not inputs of another."""
    # os.path returns False where Path raises: for folders without permission.
    if not os.path.exists(Path(folder, "job.json")):  # noqa: PTH110
        return False
    return any(os.path.exists(Path(folder, name)) for name in ("journal.jsonl", ".vlseg"))  # noqa: PTH110


def list_inputs(
    paths: Sequence[str], exclude: Path | None = None, nul: bool = False
) -> Iterator[Input]:
    """Expand arguments to files, each once, in order of first mention.

    '-' stands for the lines of stdin; nul: those end with NUL instead. exclude: a folder that is
    not searched (the output folder of this run), but whose files may be named explicitly. Raises
    NoInputError for a path or pattern without inputs, and for an empty list; a missing file of a
    list has ``bytes`` -1.
    """
    outside = os.path.realpath(exclude) if exclude else None
    real_folder = lru_cache(maxsize=64)(os.path.realpath)  # files next to each other share theirs
    seen: set[bytes] = set()  # digests: real paths would double the memory that a list takes
    for text in paths:
        is_empty = True
        for source in _expand(text, outside, nul):
            is_empty = False
            real = _real_path(source, real_folder).encode("utf-8", "surrogatepass")
            key = blake2b(real, digest_size=16).digest()
            if key not in seen:
                seen.add(key)
                yield _input(source)
        if is_empty:
            raise NoInputError(
                f"There are no images or videos in {text!r}: is it empty, or are their extensions"
                " unusual?"
            )


def _expand(text: str, outside: str | None, nul: bool) -> Iterable[str]:
    """The files of one argument."""
    path = Path(text)
    if text == "-":
        return _expand_list(stdin_lines(sys.stdin.buffer, nul), outside)
    if not text or not os.path.lexists(path):
        if _URL.match(text):
            raise NoInputError(f"{text!r} is a URL; vlseg reads files alone: download it first.")
        if not has_magic(text):
            raise NoInputError(f"There is no file or folder {text!r}{_suggestion(path)}")
        return _expand_pattern(text, outside)
    if path.is_dir():
        return walk(str(path), outside)
    if path.suffix.lower() in LIST_EXTENSIONS:
        return _expand_list(list_lines(path), outside)
    return (str(path),)


def _expand_pattern(pattern: str, outside: str | None) -> Iterator[str]:
    """The files that a pattern matches, and those in the folders that it matches."""
    # Path.glob takes no absolute patterns; the glob module does.
    for match in sorted(glob(pattern, recursive=True)):  # noqa: PTH207
        if Path(match).is_dir():
            yield from walk(match, outside)
        elif is_input(Path(match).name) and not is_within(str(Path(match).parent), outside):
            yield str(Path(match))


def _expand_list(lines: Iterable[str], outside: str | None) -> Iterator[str]:
    """The files that a list names, there or not, and those in the folders that it names."""
    for line in lines:
        if os.path.isdir(line):  # noqa: PTH112  # fast; False for invalid names
            yield from walk(line, outside)
        else:
            yield str(Path(line))


def _input(source: str) -> Input:
    path = Path(source)
    try:
        status = path.stat()
    except (OSError, ValueError):
        return Input(source, is_video(path), -1, 0)
    return Input(source, is_video(path), status.st_size, status.st_mtime_ns)


def _real_path(source: str, real_folder: Callable[[str], str]) -> str:
    """The path without links; as it is, if it cannot be one."""
    path = Path(source)
    try:
        if path.is_symlink():
            return os.path.realpath(path)
        return str(Path(real_folder(str(path.parent)), path.name))
    except (OSError, ValueError):
        return source


def _suggestion(path: Path) -> str:
    """'; did you mean …?' if the folder has a name like the missing one, else '.'."""
    try:
        names = [sibling.name for sibling in path.parent.iterdir()]
    except (OSError, ValueError):
        return "."
    return nearest(path.name, names, lambda name: str(path.with_name(name))) or "."


_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
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
            for line in _split_stream(file, b"\n", str(path)):
                if not line.startswith(b"#"):
                    yield _resolve(fsdecode(line), path.parent)
    except OSError as error:
        reason = (error.strerror or "damaged").lower()
        raise NoInputError(f"The list {path} cannot be read ({reason}).") from error


def stdin_lines(stdin: BinaryIO, nul: bool) -> Iterator[str]:
    """The paths that stdin names, one a line, or one before each NUL byte."""
    for line in _split_stream(stdin, b"\0" if nul else b"\n", "on stdin"):
        yield fsdecode(line)


def _resolve(line: str, folder: Path) -> str:
    """Where the file is; as written if it is nowhere."""
    beside = folder / line
    return str(beside) if not _exists(Path(line)) and _exists(beside) else line


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _split_stream(file: BinaryIO, end: bytes, name: str) -> Iterator[bytes]:
    """What lies between ends, without blank pieces; little of it is in memory at a time."""
    rest, is_first = b"", True
    while chunk := file.read(_LONGEST):
        if end == b"\n" and b"\0" in chunk:
            raise NoInputError(
                f"The list {name} holds bytes of no text: name an image or a video itself (lists"
                " that are split at NUL take --null)."
            )
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
