"""Where the rows of each input stand in the file: 24 bytes a row, whatever is written in it."""

import hashlib
import os
import stat
from array import array
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from vlseg_cli.cli.prompts_file.inputs import InputFinder
from vlseg_cli.cli.prompts_file.row import OF_FRAMES, PromptRow, Tasks, read_row
from vlseg_cli.cli.prompts_file.table import OffsetLines, table_in
from vlseg_cli.models.base import Segmenter
from vlseg_cli.schema import Frame, PromptRequest, Task, UsageError, VlsegError


class RowIndex:
    """Chains of rows, one for each input, in the order they were added."""

    def __init__(self) -> None:
        """Begin with no input and no row."""
        self._first, self._last = array("Q"), array("Q")  # row numbers, by input
        self._offsets, self._lines, self._next = array("Q"), array("Q"), array("Q")  # by row

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._next)

    def add(self, place: int, offset: int, line: int) -> None:
        """Add a row of input ``place``; a new input takes the next free place."""
        row = len(self)
        if place == len(self._first):
            self._first.append(row)
            self._last.append(row)
        else:
            self._next[self._last[place]] = row
            self._last[place] = row
        self._offsets.append(offset)
        self._lines.append(line)
        self._next.append(0)  # the end of a chain: row 0 follows nothing

    def rows(self, place: int) -> Iterator[tuple[int, int]]:
        """Offset and line of each row of an input, in order."""
        row = self._first[place]
        while True:
            yield self._offsets[row], self._lines[row]
            row = self._next[row]
            if not row:
                return


LARGEST = 1 << 30  # bytes
_SOME = 1000  # words to look at


class PromptFile:
    """Prompts by the file. inputs: each named file once, in order of first mention.

    digest: SHA-256 of all that decides what is asked: the file, and the bytes of its masks.
    tasks: that occur. words: sentences and names of the first rows.
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
        ``PromptRequest``.
        tasks: what can be asked. Raises UsageError, NoInputError or InputError with file, line and
        remedy.
        """
        self.path, self._default, self._tasks = path, default, tasks
        self._threshold, self._many = threshold, many
        self._finder, self._index = InputFinder(path.parent), RowIndex()
        self.tasks: set[Task] = set()
        self.words: list[str] = []
        self._latest: tuple[str, list[tuple[int, PromptRow]]] = ("", [])
        with _opened(path) as file:
            self._stamp = _stamp(file)
            digest = hashlib.file_digest(file, "sha256")
            file.seek(0)
            for masks in self._checked(file):
                digest.update(masks)
        digest.update(default.value.encode())
        self.inputs, self.digest = tuple(self._finder.inputs), digest.hexdigest()

    def asks_for(self, source: str, frame: Frame, model: Segmenter) -> list[PromptRequest]:
        """Everything that is asked of an input, about one of its frames, in the file's order.

        source: one of ``inputs``. Raises UsageError or InputError, with the line, for a region
        that does not fit the frame, and VlsegError if the file was changed since it was checked.
        """
        if self._latest[0] != source:  # the frames of a video come one after another
            self._latest = (source, list(self._read_again(source)))
        return [self._ask(line, row, frame, model) for line, row in self._latest[1]]

    def _ask(self, line: int, row: PromptRow, frame: Frame, model: Segmenter) -> PromptRequest:
        try:
            prompt = row.prompt_on(frame, model)
        except VlsegError as error:
            raise _at(line, self.path, error) from error
        at = frame.index if row.at is None else row.at
        return PromptRequest(at, row.task, prompt, self._threshold, self._many)

    def _checked(self, file: BufferedReader) -> Iterator[bytes]:
        """Make sense of every row and note where it stands; yields what stands for its masks."""
        lines = OffsetLines(file)
        try:
            self._table = table_in(lines)
            for offset, cells in self._table(lines):
                row = read_row(cells, self._default, self.path.parent, self._tasks)
                self._index.add(self._finder.add(row.input), offset, lines.row)
                self.tasks.add(row.task)
                if len(self.words) < _SOME:
                    self.words += row.words()
                yield row.masks()
            if not self._index:
                raise UsageError("there is no row: write one for each prompt.")
        except VlsegError as error:
            raise _at(lines.row, self.path, error) from error

    def _read_again(self, source: str) -> Iterator[tuple[int, PromptRow]]:
        """The rows of an input and their lines."""
        with _opened(self.path) as file:
            if _stamp(file) != self._stamp:
                raise VlsegError(
                    f"{self.path} was changed during the run: put it back and run the same command"
                    " again, or begin anew with --overwrite."
                )
            for offset, line in self._index.rows(self._finder.place(source)):
                file.seek(offset)
                _, cells = next(self._table(OffsetLines(file)))
                yield line, read_row(cells, self._default, self.path.parent, self._tasks)


def _opened(path: Path) -> BufferedReader:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"--prompts {path} is no file: give a CSV or JSON lines file.")
        if status.st_size > LARGEST:
            raise UsageError(f"--prompts {path} is over {LARGEST / 1e9:.1f} GB: split it.")
        return path.open("rb")
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "no possible path").lower()
        raise UsageError(f"--prompts {path} cannot be opened ({reason}).") from error


def _stamp(file: BufferedReader) -> tuple[int, int]:
    """What changes when somebody writes to the file."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _at(line: int, path: Path, error: VlsegError) -> VlsegError:
    return type(error)(f"{path}, line {line}: {error}")
