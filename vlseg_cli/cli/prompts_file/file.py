"""``PromptFile``: the rows of a prompts file, by input; 24 bytes of memory a row.

Only offsets are kept, as a file may have millions of rows: a row is read again when its input's
turn comes. Several spellings of a path are one input, so that its rows share one encoded image.
"""

import hashlib
import os
from array import array
from collections.abc import Iterator
from functools import cached_property, lru_cache
from glob import has_magic
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.cli.prompts_file.row import OF_FRAMES, PromptFileRow, Tasks, read_row
from vlseg_cli.cli.prompts_file.table import OffsetLines, table_in
from vlseg_cli.cli.values import shown
from vlseg_cli.media.sources import LIST_EXTENSIONS
from vlseg_cli.models.base import Segmenter, check_length
from vlseg_cli.schema import Frame, NoInputError, PromptRequest, Task, UsageError, VlsegError
from vlseg_cli.schema.files import open_regular, reason_of

LARGEST = 1 << 30  # bytes
_TEXTS = 1000  # that are checked for words unknown to the model


class RowIndex:
    """Offset and line of the rows of each input, in the order they were added, 24 bytes a row."""

    def __init__(self) -> None:
        self._added = array("Q")  # number, offset and line of row after row

    def add(self, number: int, offset: int, line: int) -> None:
        """Add a row of input ``number``."""
        self._added.extend((number, offset, line))

    def rows(self, number: int) -> list[tuple[int, int]]:
        """Offset and line of each row of an input; nothing is added any more."""
        numbers, offsets, lines = self._by_number
        first, last = np.searchsorted(numbers, np.array([number, number + 1], np.uint64))
        return [*zip(offsets[first:last].tolist(), lines[first:last].tolist(), strict=True)]

    @cached_property
    def _by_number(self) -> NDArray[np.uint64]:
        table = np.frombuffer(self._added, np.uint64).reshape(-1, 3)
        self._added = array("Q")
        return np.ascontiguousarray(table[np.argsort(table[:, 0], kind="stable")].T)


class InputNumbers:
    """Numbers the inputs, each real file once, in order of first mention."""

    def __init__(self, folder: Path) -> None:
        """folder: searched for files that are not in the working directory."""
        self._folder = folder
        self._real_folder = lru_cache(lambda parent: Path(parent).resolve())
        self._numbers: dict[str, int] = {}  # by real path
        self.inputs: list[str] = []

    def add(self, written: str) -> int:
        """The number of an input, new or known.

        Raises NoInputError if there is no such file, UsageError for a folder, pattern or list.
        """
        path = self._found(written)
        number = self._numbers.setdefault(self._real(path), len(self.inputs))
        if number == len(self.inputs):
            self.inputs.append(path)
        return number

    def number(self, source: str) -> int:
        """The number of one of ``inputs`` in any spelling. Raises KeyError for other files."""
        return self._numbers[self._real(source)]

    def _real(self, path: str) -> str:
        """As ``Path.resolve``, which is slow, but each folder is resolved only once."""
        parent, name = os.path.split(path)
        real: Path = self._real_folder(parent) / name
        return str(real.resolve() if real.is_symlink() else real)

    def _found(self, written: str) -> str:
        for path in (Path(written), self._folder / written):
            try:
                if path.is_file():
                    return _single_file(path)
                if path.is_dir():
                    raise UsageError(f"{shown(written)} is a folder: write one file in each row.")
            except (OSError, ValueError):  # no possible path
                continue
        if has_magic(written):
            raise UsageError(f"{shown(written)} is a pattern: write one file in each row.")
        raise NoInputError(
            f"there is no file {shown(written)}, neither here nor beside the prompts file."
        )


def _single_file(path: Path) -> str:
    name = str(path)
    if path.suffix.lower() in LIST_EXTENSIONS or name == "-":
        raise UsageError(f"{shown(name)} stands for a list: write one file in each row.")
    return name


class PromptFile:
    """Prompts by the file. inputs: each named file once, in order of first mention.

    digest: SHA-256 of all that decides the requests: the file, and the bytes of its masks.
    tasks: that occur. texts: sentences and names of the first rows.
    """

    def __init__(
        self,
        path: Path,
        default: Task,
        threshold: float | None = None,
        many: bool = False,
        tasks: Tasks = OF_FRAMES,
    ) -> None:
        """Read and check every row.

        default: the task of rows that name none. threshold, many: for all rows, as in
        ``PromptRequest``. tasks: those that are possible. Raises UsageError, NoInputError or
        InputError with file, line and remedy.
        """
        self.path, self._default, self._possible = path, default, tasks
        self._threshold, self._many = threshold, many
        self._numbers, self._index = InputNumbers(path.parent), RowIndex()
        self.tasks: set[Task] = set()
        self.texts: list[str] = []
        self._latest: tuple[str, list[tuple[int, PromptFileRow]]] = ("", [])
        with _opened(path) as file:
            self._stamp = _stamp(file)
            digest = hashlib.file_digest(file, "sha256")
            file.seek(0)
            for masks in self._checked(file):
                digest.update(masks)
        digest.update(default.value.encode())
        self.inputs, self.digest = tuple(self._numbers.inputs), digest.hexdigest()

    def requests(self, source: str, frame: Frame, model: Segmenter) -> list[PromptRequest]:
        """All requests of an input for one of its frames, in the file's order.

        source: one of ``inputs``. Raises UsageError or InputError, with the line, for a region
        that does not fit the frame, and VlsegError if the file was changed since it was checked.
        """
        if self._latest[0] != source:  # the frames of a video come one after another
            self._latest = (source, list(self._read_again(source)))
        return [self._request(line, row, frame, model) for line, row in self._latest[1]]

    def _request(
        self, line: int, row: PromptFileRow, frame: Frame, model: Segmenter
    ) -> PromptRequest:
        try:
            for text in row.texts():
                check_length(model, text)
            prompt = row.prompt_on(frame, model)
        except VlsegError as error:
            raise _at(line, self.path, error) from error
        at = frame.index if row.at is None else row.at
        return PromptRequest(at, row.task, prompt, self._threshold, self._many)

    def _checked(self, file: BufferedReader) -> Iterator[bytes]:
        """Check every row and index it; yields the digests of its masks."""
        lines = OffsetLines(file)
        try:
            self._table = table_in(lines)
            for offset, cells in self._table(lines):
                row = read_row(cells, self._default, self.path.parent, self._possible)
                self._index.add(self._numbers.add(row.input), offset, lines.row)
                self.tasks.add(row.task)
                if len(self.texts) < _TEXTS:
                    self.texts += row.texts()
                yield row.masks()
            if not self._numbers.inputs:
                raise UsageError("there is no row: write one for each prompt.")
        except VlsegError as error:
            raise _at(lines.row, self.path, error) from error

    def _read_again(self, source: str) -> Iterator[tuple[int, PromptFileRow]]:
        """The rows of an input and their lines."""
        with _opened(self.path) as file:
            if _stamp(file) != self._stamp:
                raise VlsegError(
                    f"{self.path} was changed during the run: put it back and run the same command"
                    " again, or start over with --overwrite."
                )
            for offset, line in self._index.rows(self._numbers.number(source)):
                file.seek(offset)
                _, cells = next(self._table(OffsetLines(file)))
                yield line, read_row(cells, self._default, self.path.parent, self._possible)


def _opened(path: Path) -> BufferedReader:
    try:
        return open_regular(path, LARGEST)
    except OSError as error:
        reason = reason_of(error)
        raise UsageError(
            f"--prompts {path} cannot be opened ({reason}): give a CSV or JSON lines file."
        ) from error


def _stamp(file: BufferedReader) -> tuple[int, int]:
    """Size and time of the last change."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _at(line: int, path: Path, error: VlsegError) -> VlsegError:
    return type(error)(f"{path}, line {line}: {error}")
