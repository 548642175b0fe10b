"""Every error a user can cause: one sentence saying what, where and how out, with its exit code.

The command line prints the sentence and leaves with the code; a traceback appears only with
``--debug``. Anything that is not a VlsegError is a defect of ours and exits with 1.
"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches


class VlsegError(Exception):
    """Base of all expected errors; ``exit_code`` is what the process returns."""

    exit_code = 1


class UsageError(VlsegError):
    """The command line asks for something that cannot be meant."""

    exit_code = 2


class TableError(UsageError):
    """A table of a TOML file has an unknown key, a wrong type or a value out of range."""


class RecipeError(UsageError):
    """A recipe asks for something that cannot be meant."""


class InputError(VlsegError):
    """One input cannot be read; a job goes on with the others and ends with 3."""

    exit_code = 3


class NotFiniteError(InputError):
    """The model's numbers for one input are NaN or infinite: no answer, not an empty one."""


class TooLargeError(InputError):
    """One input does not fit into memory even alone; a job with such inputs ends with 6."""

    exit_code = 6


class NoInputError(VlsegError):
    """No input matched what was asked."""

    exit_code = 4


class WeightsError(VlsegError):
    """Weights are missing, damaged or do not fit the architecture."""

    exit_code = 5


class OutputError(VlsegError):
    """A result cannot be written: disk full, no permission, a path that leads out of the folder."""

    exit_code = 1


def nearest(word: str, words: Iterable[str], written: Callable[[str], str] = str) -> str:
    """'; did you mean 'cups'?' if one of the words is much like ``word``, else ''.

    written: how the one that is found is written, a file's name within its folder for instance.
    """
    found = get_close_matches(word, list(words), n=1)
    return f"; did you mean {written(found[0])!r}?" if found else ""


def nearest_or_all(word: str, words: Iterable[str]) -> str:
    """As ``nearest``, but where none is near all of them: '; known are a, b'."""
    known = sorted(words)
    return nearest(word, known) or f"; known are {', '.join(known)}"
