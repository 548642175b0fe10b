"""The interface of all readers: samples by index, so that any part can be read in any order."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from vlseg_cli.media.image import read_image
from vlseg_cli.schema import ClipSample, Frame, InputError, NoInputError, Sample
from vlseg_cli.schema.files import read_regular, reason_of

T = TypeVar("T")


class Dataset(Protocol):
    """Samples 0 … len - 1, one per image, read from disk on access."""

    def __len__(self) -> int:
        """Number of images."""
        ...

    def source(self, number: int) -> str:
        """The image's path, or TABLE:ROW if a table contains it; needs no access to it."""
        ...

    def __getitem__(self, number: int) -> Sample:
        """Read a sample. Raises InputError if its files are damaged or incomplete."""
        ...


class ClipDataset(Protocol):
    """Clips 0 … len - 1, one per video, whose frames and masks are read on access."""

    def __len__(self) -> int:
        """Number of videos."""
        ...

    def source(self, number: int) -> str:
        """The clip's folder; needs no access to it."""
        ...

    def __getitem__(self, number: int) -> ClipSample:
        """Open a clip. Raises InputError if its files are damaged or incomplete."""
        ...


class VideoFolders:
    """The list of a split's videos: ``frames/VIDEO`` is the folder of one video's frames."""

    def __init__(self, frames: Path, videos: Sequence[str]) -> None:
        self.frames, self.videos = frames, videos

    def __len__(self) -> int:
        return len(self.videos)

    def source(self, number: int) -> str:
        """The folder of a video."""
        return str(self.frames / self.videos[number])


def existing_folder(*candidates: Path) -> Path:
    """The first of the folders that exists. Raises NoInputError if none does."""
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise NoInputError(f"There is no folder {candidates[0]}: give the data set's root as --data.")


_LARGEST = 1 << 34  # bytes of a data set's table


def parsed(path: Path, parse: Callable[[bytes], T]) -> T:
    """A file's contents after ``parse``.

    Raises NoInputError if the file is missing, InputError if it cannot be read or parsed.
    """
    try:
        return parse(read_regular(path, _LARGEST))
    except FileNotFoundError as error:
        raise NoInputError(f"{path} is missing: the data set is incomplete.") from error
    except RecursionError as error:
        raise InputError(f"{path} is damaged (it is nested too deeply): fetch it again.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged ({reason_of(error)}): fetch it again.") from error


def read_sized(path: Path, height: int, width: int, table: object) -> Frame:
    """An image of the size that its annotations have in ``table``.

    Raises InputError if it has another size, is missing or damaged.
    """
    frame = read_image(path)
    if (frame.height, frame.width) != (height, width):
        raise InputError(
            f"{path} differs in size from its record: it is {frame.width} x {frame.height} px, but"
            f" {table} says {width} x {height}. It is another image."
        )
    return frame
