"""The output folder: nothing is written outside of it, whatever the names of the inputs.

Every input gets a unique name that is valid on every file system, also if stems are equal.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from vlseg_cli.outputs.atomic import (
    AtomicFile,
    make_folder,
    temporary_path,
    write_atomically,
    write_error,
)
from vlseg_cli.schema import FencedError, OutputError, UsageError
from vlseg_cli.schema.errors import is_disk_error

_LONGEST = 100  # bytes of a name, so that suffixes still fit into the usual 255
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # on Windows
# Extensions of our own files: a video's folder 'a.png' must not collide with the image of an 'a'.
_OURS = re.compile(r"\.(png|jpg|mp4|txt)$", re.IGNORECASE)


class OutputFolder:
    """A folder for results, and the names already used in it."""

    def __init__(self, root: Path) -> None:
        """root: created by the first write or by ``make``."""
        self.root = root
        self.hidden = ".vlseg"  # folder of what is needed only while results are written
        self._staging: Path | None = None
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}  # per stem, so that a million equal ones stay fast

    def make(self) -> None:
        """Create the folder and test writing, so that a long run does not fail at its end.

        Raises UsageError if there can be no such folder, OutputError if it cannot be written to.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise UsageError(f"--out {self.root} is a file: give a folder.") from error
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or "no possible path").lower()
            message = f"--out {self.root} cannot be made ({reason}): give another folder."
            raise (OutputError if is_disk_error(error) else UsageError)(message) from error
        AtomicFile(self.root / "trial").discard()

    def name_for(self, source: str) -> str:
        """A unique file name without extension for an input."""
        stem = safe_name(Path(source).stem)
        name, count = stem, self._counts.get(stem.casefold(), 1)
        while name.casefold() in self._taken:  # some file systems ignore case
            count += 1
            name = f"{stem}-{count}"
        self._counts[stem.casefold()] = count
        self.take(name)
        return name

    def take(self, name: str) -> None:
        """Reserve a name that an earlier run has used."""
        self._taken.add(name.casefold())

    def stage_in(self, *parts: str) -> None:
        """Write through a staging folder, on the way to which nothing is ever created again.

        A process that removes it keeps this one from changing anything: writing and removing
        raise FencedError from then on.
        """
        if (self.root / parts[0]).is_symlink():
            raise OutputError(f"{self.root / parts[0]} leads out of {self.root}: remove that link.")
        self.hidden, self._staging = parts[0], self.root.joinpath(*parts)
        try:
            self._staging.mkdir(parents=True, exist_ok=True)
        except OSError as error:  # a parent may have been removed meanwhile
            raise self.write_error(self._staging, error) from error

    def unstage(self) -> None:
        """Remove the staging folder and its parents, as far as they are empty."""
        staging, self._staging = self._staging, None
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
            with contextlib.suppress(OSError):
                for folder in staging.parents:
                    if folder == self.root:
                        break
                    folder.rmdir()

    @property
    def is_fenced(self) -> bool:
        """Whether the staging folder was removed."""
        return self._staging is not None and not self._staging.is_dir()

    def check_staging(self) -> None:
        """Raise FencedError if the staging folder was removed."""
        if self.is_fenced:
            raise FencedError(f"Another process has taken over the work in {self.root}.")

    def path(self, *parts: str) -> Path:
        """A path below the folder, parents created. Raises OutputError if links leave it."""
        path = self.root.joinpath(*parts)
        if self._staging is None:
            make_folder(path.parent)
        else:
            self._make_parents(path, self._staging)
        if not path.parent.resolve().is_relative_to(self.root.resolve()):
            raise OutputError(f"{path.parent} leads out of {self.root}: remove that link.")
        return path

    def begin(self, *parts: str) -> AtomicFile:
        """Start a file below the folder."""
        return AtomicFile(self.path(*parts), self._staging)

    def write(self, data: bytes, *parts: str) -> None:
        """Write a whole file below the folder, atomically."""
        write_atomically(self.path(*parts), data, self._staging)

    def write_stream(self, data: Iterable[bytes], *parts: str) -> None:
        """Write a file from chunks, atomically; a failure leaves nothing."""
        file = self.begin(*parts)
        with file.open_file() as opened:
            opened.writelines(data)
        file.commit()

    def remove(self, *parts: str) -> None:
        """Remove an outdated file or folder of an earlier run, if there is one."""
        if os.path.lexists(self.root.joinpath(*parts)):
            path = self.path(*parts)
            try:
                if self._staging is not None:
                    path = path.rename(temporary_path(self._staging))
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            except OSError as error:
                raise self.write_error(path, error) from error

    def write_error(self, path: Path, error: OSError) -> OutputError:
        """See ``atomic.write_error``."""
        return write_error(path, error, self._staging)

    def _make_parents(self, path: Path, staging: Path) -> None:
        """Folders one by one: ``mkdir(parents=True)`` would restore what was removed meanwhile."""
        for folder in reversed(path.parents):
            if folder.is_relative_to(self.root) and not staging.is_relative_to(folder):
                try:
                    folder.mkdir(exist_ok=True)
                except OSError as error:
                    raise self.write_error(path, error) from error


def safe_name(text: str) -> str:
    """Reduce any text to a file name: no separators, control characters, dots in front, ….

    >>> safe_name("../kitchen: at night")
    '_kitchen_ at night'
    """
    return _safe(text, _LONGEST)


def is_safe_name(name: str) -> bool:
    """Whether a name, possibly with a number appended, is valid in the output folder unchanged."""
    return _safe(name, 2 * _LONGEST) == name


def frame_file(name: str, is_video: bool, frame: int, ending: str) -> tuple[str, ...]:
    """Path of a frame's file in a format's folder: a video has a folder of its own.

    >>> frame_file("kitchen", False, 0, ".png"), frame_file("film", True, 12, ".png")
    (('kitchen.png',), ('film', '000012.png'))
    """
    return (name, f"{frame:06d}{ending}") if is_video else (f"{name}{ending}",)


def _safe(text: str, longest: int) -> str:
    name = re.sub(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f\ud800-\udfff]', "_", text).strip(" .-")
    name = name.encode()[:longest].decode(errors="ignore").rstrip(" .")
    name = _OURS.sub(r"_\1", name)
    if not name or _RESERVED.match(name):
        name = f"image_{name}".rstrip("_")
    return name
