"""Errors that a user can cause: one sentence with what, where and the remedy, and exit codes.

The command line prints the sentence and leaves with the code; a traceback appears only with
``--debug``. Anything that is not a VlsegError is a defect and exits with 1.
"""

import errno
from collections.abc import Callable, Iterable
from difflib import get_close_matches


class VlsegError(Exception):
    """Base of all expected errors; ``exit_code`` is what the process returns."""

    exit_code = 1


class UsageError(VlsegError):
    """Arguments or files are not valid together or by themselves."""

    exit_code = 2


class TableError(UsageError):
    """A table of a TOML file has an unknown key, a wrong type or a value out of range."""


class RecipeError(UsageError):
    """A recipe is not valid."""


class InputError(VlsegError):
    """One input cannot be read; a job continues with the others and exits with 3."""

    exit_code = 3


class NotFiniteError(InputError):
    """The model's output for one input is NaN or infinite: no prediction, not an empty one."""


class TooLargeError(InputError):
    """One input does not fit into memory even alone; a job with such inputs exits with 6."""

    exit_code = 6


class NoInputError(VlsegError):
    """No input matched."""

    exit_code = 4


class WeightsError(VlsegError):
    """Weights are missing, damaged or do not fit the architecture."""

    exit_code = 5


class OutputError(VlsegError):
    """The output folder cannot be used: disk full, read-only, no permission, our file damaged."""

    exit_code = 74  # EX_IOERR of sysexits.h


class FencedError(OutputError):
    """Another process has taken over what this one was doing; nothing of it can be written now."""


class FormatError(OutputError):
    """A format cannot hold the results of a job; its other formats are written."""

    exit_code = 3


def is_disk_error(error: BaseException) -> bool:
    """Whether a disk is full, over its quota or limit, broken, read-only or forbidden."""
    full = errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO
    forbidden = errno.EROFS, errno.EACCES, errno.EPERM
    return isinstance(error, OSError) and error.errno in (*full, *forbidden)


def nearest(word: str, words: Iterable[str], written: Callable[[str], str] = str) -> str:
    """'; did you mean 'cups'?' if one of the words is similar to ``word``, else ''.

    written: formats the word that is found, for instance a file's name within its folder.
    """
    found = get_close_matches(word, list(words), n=1)
    return f"; did you mean {written(found[0])!r}?" if found else ""


def nearest_or_all(word: str, words: Iterable[str]) -> str:
    """As ``nearest``, but all words if none is similar: '; known are a, b'."""
    known = sorted(words)
    return nearest(word, known) or f"; known are {', '.join(known)}"
