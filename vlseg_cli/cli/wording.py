"""Values in messages: numbers, texts and file names as a terminal may show them."""

from collections.abc import Iterable

_LONGEST = 80  # characters of a value in a sentence


def printable(text: str) -> str:
    """The text on one line: line breaks, control characters and broken bytes escaped.

    File names may hold line breaks or commands to the terminal; they are shown, never obeyed.
    """
    return "".join(_escaped(character) for character in text)


def counted(number: int, noun: str) -> str:
    """'1 frame', '4,200 frames'."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def each_once(names: Iterable[str]) -> tuple[str, ...]:
    """The names without blanks around them, in order, no empty one and none twice."""
    return tuple(dict.fromkeys(filter(None, (name.strip() for name in names))))


def shown(value: object) -> str:
    """A value as a user wrote it, in quotation marks, cut off if it would fill the screen."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
