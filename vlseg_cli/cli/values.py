"""Values of options (times, batch sizes, formats, seeds), and values as messages show them."""

import math
from collections.abc import Iterable

from vlseg_cli.schema.errors import UsageError, nearest

AUTOMATIC = ("overlay", "video", "coco")  # formats of --save auto
TRACKED = ("video", "coco", "ytvis")  # the same for track

_LONGEST = 80  # characters of a value in a message
_SEED_DIGITS = 18  # the largest seeds that fit into 64 bits whatever their first digit


def parse_seconds(text: str) -> float:
    """'90', '1:30' and '0:01:30.5' to seconds. Raises UsageError for anything else."""
    *larger, smallest = text.strip().split(":")
    try:
        parts = [*map(_whole, larger), float(smallest)]
    except ValueError:
        parts = []
    if len(parts) in (1, 2, 3) and 0 <= parts[-1] < math.inf and all(n < 60 for n in parts[1:]):
        return math.fsum(n * 60.0**power for power, n in enumerate(reversed(parts)))
    raise UsageError(
        f"{shown(text)} is not a time: write seconds, mm:ss or hh:mm:ss, as in 90 or 1:30."
    )


def _whole(text: str) -> float:
    if not (text.isdecimal() and len(text) < 10):
        raise ValueError(text)
    return float(text)


def parse_batch_size(text: str) -> int | None:
    """'8' to a number, 'auto' to None. Raises UsageError for anything else."""
    if text == "auto":
        return None
    if not text.isdecimal() or len(text) > 4 or int(text) < 1:
        raise UsageError(f"--batch-size {shown(text)}: write a number from 1 to 9999, or auto.")
    return int(text)


def parse_formats(
    text: str, has_map: bool, option: str = "--save", automatic: tuple[str, ...] = AUTOMATIC
) -> tuple[str, ...]:
    """'coco,overlay' to format names, 'none' to none, 'auto' to the automatic ones.

    has_map: whether the task has panoptic maps. option: which option the text is of. Raises
    UsageError for an unknown format, or for a map that the task does not have.
    """
    from vlseg_cli.outputs import FORMATS

    names = each_once(text.split(","))
    if names in ((), ("none",)):
        return ()
    if names == ("auto",):
        return automatic
    for name in names:
        if name not in FORMATS:
            raise UsageError(
                f"{option} has no format {shown(name)}{nearest(name, FORMATS)}"
                f" (formats: {', '.join(FORMATS)}; or auto or none alone)."
            )
        if FORMATS[name].needs_map and not has_map:
            raise UsageError(
                f"{option} {name} needs a map of the whole image: only 'vlseg segment' with"
                " --task panoptic or semantic has one."
            )
    return names


def parse_seeds(text: str) -> range:
    """'900000:900300' to a range. Raises UsageError for anything else, or an empty range."""
    ends = [end.strip() for end in text.split(":")]
    if len(ends) != 2 or not all(end.isdecimal() and len(end) <= _SEED_DIGITS for end in ends):
        raise UsageError(f"--seeds {shown(text)} is not a range: write A:B, as in 900000:900300.")
    seeds = range(*map(int, ends))
    if not seeds:
        raise UsageError(f"--seeds {text} has no seeds: B must be greater than A.")
    return seeds


def is_unicode(text: str) -> bool:
    """Whether a text has no half characters, as an argument that is not UTF-8 becomes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str) -> str:
    """The text on one line: line breaks, control characters and broken bytes are escaped.

    File names may hold line breaks or control sequences of a terminal.
    """
    return "".join(_escaped(character) for character in text)


def counted(number: int, noun: str) -> str:
    """'1 frame', '4,200 frames'."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def each_once(names: Iterable[str]) -> tuple[str, ...]:
    """The names without surrounding blanks, in order, without empty ones and duplicates."""
    return tuple(dict.fromkeys(filter(None, (name.strip() for name in names))))


def shown(value: object) -> str:
    """A value as the user wrote it, in quotation marks, truncated to 80 characters."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
