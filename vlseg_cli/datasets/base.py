"""What every reader is: samples by number, so that any share of them can be read in any order."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from vlseg_cli.schema import ClipSample, InputError, NoInputError, Sample

T = TypeVar("T")


class Dataset(Protocol):
    """Samples 0 … len - 1, one per picture, each read from disk when it is asked for."""

    def __len__(self) -> int:
        """How many pictures there are."""
        ...

    def source(self, number: int) -> str:
        """The picture's path, or TABLE:ROW if a table holds it; known without reading it."""
        ...

    def __getitem__(self, number: int) -> Sample:
        """Read one. Raises InputError if its files are damaged or lack something."""
        ...


class ClipDataset(Protocol):
    """Clips 0 … len - 1, one per video, whose frames and masks are read when they are asked for."""

    def __len__(self) -> int:
        """How many videos there are."""
        ...

    def source(self, number: int) -> str:
        """The clip's folder; known without reading it."""
        ...

    def __getitem__(self, number: int) -> ClipSample:
        """Open one. Raises InputError if its files are damaged or lack something."""
        ...


def existing_folder(*candidates: Path) -> Path:
    """The first of the folders that is there. Raises NoInputError if none is."""
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise NoInputError(f"There is no folder {candidates[0]}: give the data set's root as --data.")


def parsed(path: Path, parse: Callable[[bytes], T]) -> T:
    """Contents of a file as ``parse`` understands them.

    Raises NoInputError if the file is missing, InputError if it cannot be read or understood.
    """
    try:
        return parse(path.read_bytes())
    except FileNotFoundError as error:
        raise NoInputError(f"{path} is missing: the data set is incomplete.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}): fetch it again.") from error
