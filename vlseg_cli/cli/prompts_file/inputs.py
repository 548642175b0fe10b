"""The column input: one file a row, from the working directory or from the prompts file's folder.

However a file is spelled, its rows belong together: they share one look at it.
"""

import os
from functools import lru_cache
from glob import has_magic
from pathlib import Path

from vlseg_cli.cli.wording import shown
from vlseg_cli.media.sources import LIST_EXTENSIONS
from vlseg_cli.schema import NoInputError, UsageError


class InputFinder:
    """The inputs found so far, each once, in order of first mention."""

    def __init__(self, folder: Path) -> None:
        """folder: where a file is looked for that is not in the working directory."""
        self._folder = folder
        self._real_folder = lru_cache(lambda parent: Path(parent).resolve())
        self._places: dict[str, int] = {}  # by real path
        self.inputs: list[str] = []

    def add(self, written: str) -> int:
        """The place of an input among all, new or known.

        Raises NoInputError if there is no such file, UsageError for a folder, pattern or list.
        """
        path = self._found(written)
        place = self._places.setdefault(self._real(path), len(self.inputs))
        if place == len(self.inputs):
            self.inputs.append(path)
        return place

    def place(self, source: str) -> int:
        """The place of one of ``inputs``, however it is spelled. Raises KeyError for any other."""
        return self._places[self._real(source)]

    def _real(self, path: str) -> str:
        """As ``Path.resolve``, which takes its time, but a folder is looked up only once."""
        parent, name = os.path.split(path)
        real: Path = self._real_folder(parent) / name
        return str(real.resolve() if real.is_symlink() else real)

    def _found(self, written: str) -> str:
        for path in (Path(written), self._folder / written):
            try:
                if path.is_file():
                    return _one_file(path)
                if path.is_dir():
                    raise UsageError(f"{shown(written)} is a folder: write one file in each row.")
            except (OSError, ValueError):  # no possible path
                continue
        if has_magic(written):
            raise UsageError(f"{shown(written)} is a pattern: write one file in each row.")
        raise NoInputError(
            f"there is no file {shown(written)}, neither here nor beside the prompts file."
        )


def _one_file(path: Path) -> str:
    name = str(path)
    if path.suffix.lower() in LIST_EXTENSIONS or name == "-":
        raise UsageError(f"{shown(name)} stands for a list: write one file in each row.")
    return name
