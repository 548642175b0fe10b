"""The nearest right word to a misspelt one, in one wording for commands, tables and files."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches


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
