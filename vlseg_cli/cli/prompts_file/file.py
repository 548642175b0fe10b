"""A whole prompts file: every row checked before the run, read again when its input's turn comes.

Of a row only its place in the file stays in memory, so that a million rows cost little more than
the names of their inputs.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from vlseg_cli.cli.prompts_file.index import RowIndex
from vlseg_cli.cli.prompts_file.inputs import InputFinder
from vlseg_cli.cli.prompts_file.lines import Lines
from vlseg_cli.cli.prompts_file.row import OF_FRAMES, PromptRow, Tasks, read_row
from vlseg_cli.cli.prompts_file.table import table_in
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.schema import Ask, Frame, Task, UsageError, VlsegError

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

        default: the task of rows that name none. threshold, many: for all rows, as in ``Ask``.
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

    def asks_for(self, source: str, frame: Frame, model: Segmenter) -> list[Ask]:
        """Everything that is asked of an input, about one of its frames, in the file's order.

        source: one of ``inputs``. Raises UsageError or InputError, with the line, for a region
        that does not fit the frame, and VlsegError if the file was changed since it was checked.
        """
        if self._latest[0] != source:  # the frames of a video come one after another
            self._latest = (source, list(self._read_again(source)))
        return [self._ask(line, row, frame, model) for line, row in self._latest[1]]

    def _ask(self, line: int, row: PromptRow, frame: Frame, model: Segmenter) -> Ask:
        try:
            prompt = row.prompt_on(frame, model)
        except VlsegError as error:
            raise _at(line, self.path, error) from error
        at = frame.index if row.at is None else row.at
        return Ask(at, row.task, prompt, self._threshold, self._many)

    def _checked(self, file: BufferedReader) -> Iterator[bytes]:
        """Make sense of every row and note where it stands; yields what stands for its masks."""
        lines = Lines(file)
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
                _, cells = next(self._table(Lines(file)))
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
