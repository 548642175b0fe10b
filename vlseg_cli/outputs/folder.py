"""The output folder: the only place that is written to, whatever names the inputs carry.

Every input gets a name of its own that is safe on every file system; two inputs of one stem from
different folders never meet.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from vlseg_cli.outputs.atomic import AtomicFile, make_folder, write_atomically, write_error
from vlseg_cli.schema import OutputError, UsageError

_LONGEST = 100  # bytes of a name, so that suffixes still fit into the usual 255
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # on Windows
# Endings of our own files: a video's folder 'a.png' must not meet the picture of an image 'a'.
_OURS = re.compile(r"\.(png|jpg|mp4|txt)$", re.IGNORECASE)


class OutputFolder:
    """A folder that results go into, and the names already taken in it."""

    def __init__(self, root: Path) -> None:
        """Name the folder; nothing is made before something is written or ``make`` is called."""
        self.root = root
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}  # of each stem, so that a million alike take no longer

    def make(self) -> None:
        """Make the folder and try it out, so that a long run does not fail at its end.

        Raises UsageError if it is a file, cannot be made or not written to.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            AtomicFile(self.root / "trial").discard()
        except FileExistsError as error:
            raise UsageError(f"--out {self.root} is a file: give a folder.") from error
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or "no possible path").lower()
            message = f"--out {self.root} cannot be made ({reason}): give another folder."
            raise UsageError(message) from error
        except OutputError as error:
            raise UsageError(str(error)) from error

    def name_for(self, source: str) -> str:
        """A file name without extension for an input, unlike all given before."""
        stem = safe_name(Path(source).stem)
        name, count = stem, self._counts.get(stem.casefold(), 1)
        while name.casefold() in self._taken:  # some file systems do not tell A from a
            count += 1
            name = f"{stem}-{count}"
        self._counts[stem.casefold()] = count
        self.take(name)
        return name

    def take(self, name: str) -> None:
        """Never give this name again: an earlier run has given it."""
        self._taken.add(name.casefold())

    def path(self, *parts: str) -> Path:
        """A path below the folder, its parents made. Raises OutputError if links lead outside."""
        path = self.root.joinpath(*parts)
        make_folder(path.parent)
        if not path.parent.resolve().is_relative_to(self.root.resolve()):
            raise OutputError(f"{path.parent} leads out of {self.root}: remove that link.")
        return path

    def begin(self, *parts: str) -> AtomicFile:
        """Begin a file below the folder."""
        return AtomicFile(self.path(*parts))

    def write(self, data: bytes, *parts: str) -> None:
        """Write a whole file below the folder, atomically."""
        write_atomically(self.path(*parts), data)

    def write_stream(self, data: Iterable[bytes], *parts: str) -> None:
        """Write a file piece by piece, atomically; what fails underway leaves nothing."""
        file = self.begin(*parts)
        with file.open_file() as opened:
            opened.writelines(data)
        file.commit()

    def remove(self, *parts: str) -> None:
        """Remove a file that an earlier run left and that is no longer true."""
        if self.root.joinpath(*parts).exists():
            path = self.path(*parts)
            try:
                path.unlink()
            except OSError as error:
                raise write_error(path, error) from error


def safe_name(text: str) -> str:
    """Reduce any text to a file name: no separators, control characters, dots in front, ….

    >>> safe_name("../kitchen: at night")
    '_kitchen_ at night'
    """
    return _safe(text, _LONGEST)


def is_safe_name(name: str) -> bool:
    """Whether a name can stand in the output folder as it is, with the number it may have got."""
    return _safe(name, 2 * _LONGEST) == name


def frame_file(name: str, is_video: bool, frame: int, ending: str) -> tuple[str, ...]:
    """Where a picture of an item's frame lies in a format's folder: a video has one of its own.

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


class StagedFiles:
    """Writes the files of the current part, and takes them back if it is abandoned."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._written: list[tuple[str, ...]] = []

    def write(self, data: bytes, *parts: str) -> None:
        """Write a file below the folder, atomically."""
        self._written.append(parts)
        self._folder.write(data, *parts)

    def keep(self) -> None:
        """The part is complete."""
        self._written.clear()

    def remove(self) -> None:
        """The part will not be completed."""
        for parts in self._written:
            self._folder.remove(*parts)
        self._written.clear()
