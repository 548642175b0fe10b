"""Words for people: text made safe for a terminal, and the nearest word to a misspelt one."""

from collections.abc import Iterable
from difflib import get_close_matches


def printable(text: str) -> str:
    """The text on one line: line breaks, control characters and broken bytes escaped.

    File names may hold line breaks or commands to the terminal; they are shown, never obeyed.
    """
    return "".join(_escaped(character) for character in text)


def nearest(word: str, choices: Iterable[str]) -> str:
    """'; did you mean cups?' if one of the choices is much like the word, else ''."""
    found = get_close_matches(word, list(choices), n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
